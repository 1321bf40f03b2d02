#include "maelstrom/control_messages.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "maelstrom/quoted_excerpt.h"
#include "sluice/base/json.h"

namespace sluice {
namespace {

void append_status(std::string& out, const Backend& backend, TimePoint now) {
  out += R"({"name":)";
  append_json_string(out, backend.name());
  fmt::format_to(std::back_inserter(out),
                 R"(,"health":"{}","breaker":"{}","consecutive_failures":{},"opens":{}}})",
                 name(backend.health()), name(backend.breaker().state(now)),
                 backend.outlier_detector().consecutive_failures(), backend.breaker().opens());
}

// Of a key of whatever type: the text of a string, else what was written.
std::string_view key_of(const Message& message) {
  const BodyField* key = message.find("key");
  if (key == nullptr) return message.source;
  return message.string("key").value_or(key->text);
}

}  // namespace

ControlMessages::ControlMessages(NodeClusters& clusters, ServedBackends& served,
                                 const Names& probed,
                                 std::function<void(NodeCluster&, TimePoint)> on_backends)
    : clusters_(clusters), served_(served), probed_(probed), on_backends_(std::move(on_backends)) {}

Handled ControlMessages::backends(const Message& message, TimePoint now) {
  const auto cluster = clusters_.named_by(message);
  if (!cluster) return tl::unexpected(cluster.error());
  const auto names = distinct_names(message.find("backends"));
  if (!names) {
    return refuse(ErrorCode::malformed_request,
                  fmt::format("backends needs 'backends', a list of strings of 1 to {} bytes",
                              kNameBytesMax));
  }
  if (names->size() > kBackendsMax) {
    return refuse(ErrorCode::malformed_request, fmt::format("more than {} backends", kBackendsMax));
  }
  if ((*cluster)->owner() == NodeCluster::Owner::server) {
    return served_.replace(**cluster, *names, {message.source, message.msg_id});
  }
  std::vector<BackendSettings> backends;
  for (const std::string& name : *names) {
    const auto known = (*cluster)->core().find(name);
    backends.push_back(known ? known->settings() : named_backend(name));
  }
  (*cluster)->set_backends(backends, probed_, now);
  on_backends_(**cluster, now);
  return std::string();
}

Answer ControlMessages::report(const Message& message, TimePoint now) {
  const auto cluster = clusters_.named_by(message);
  if (!cluster) return tl::unexpected(cluster.error());
  const auto name = message.string("backend");
  const BodyField* success = message.find("success");
  bool has_succeeded = false;
  if (!name || success == nullptr || success->value.get(has_succeeded) != simdjson::SUCCESS) {
    return refuse(ErrorCode::malformed_request,
                  "report needs the string 'backend' and 'success', true or false");
  }
  const std::shared_ptr<Backend> backend = (*cluster)->core().find(*name);
  if (!backend) {
    return refuse(ErrorCode::malformed_request,
                  fmt::format("there is no backend {}", quoted_excerpt(*name)));
  }
  (*cluster)->report(backend, has_succeeded ? ConnectOutcome::connected : ConnectOutcome::refused,
                     now);
  std::string members = R"(,"backend":)";
  append_json_string(members, *name);
  fmt::format_to(std::back_inserter(members), R"(,"state":"{}","consecutive_failures":{})",
                 sluice::name(backend->breaker().state(now)),
                 backend->outlier_detector().consecutive_failures());
  return members;
}

Answer ControlMessages::route(const Message& message, TimePoint now) {
  const auto cluster = clusters_.named_by(message);
  if (!cluster) return tl::unexpected(cluster.error());
  const auto route = (*cluster)->route(key_of(message), now);
  if (!route) return refuse(ErrorCode::unavailable, "no backend may be tried");
  std::string members = R"(,"backend":)";
  append_json_string(members, route->backend->name());
  members += route->is_trial ? R"(,"trial":true)" : R"(,"trial":false)";
  return members;
}

Answer ControlMessages::status(const Message& message, TimePoint now) {
  const auto cluster = clusters_.named_by(message);
  if (!cluster) return tl::unexpected(cluster.error());
  std::string members = R"(,"backends":[)";
  for (const std::shared_ptr<Backend>& backend : (*cluster)->backends()) {
    if (members.back() != '[') members += ',';
    append_status(members, *backend, now);
  }
  members += ']';
  return members;
}

std::optional<std::vector<std::string>> distinct_names(const BodyField* field) {
  simdjson::dom::array array;
  if (field == nullptr || field->value.get(array) != simdjson::SUCCESS) return std::nullopt;
  std::vector<std::string> names;
  Names seen;
  for (const simdjson::dom::element member : array) {
    std::string_view name;
    if (member.get(name) != simdjson::SUCCESS || name.empty() || name.size() > kNameBytesMax) {
      return std::nullopt;
    }
    if (seen.emplace(name).second) names.emplace_back(name);
  }
  return names;
}

}  // namespace sluice
