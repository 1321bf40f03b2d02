#include "maelstrom/service_proxy.h"

#include <fmt/format.h>

#include <array>
#include <span>
#include <utility>

#include "sluice/base/json.h"

namespace sluice {
namespace {

std::span<const std::string_view> needed_members(std::string_view type) {
  static constexpr std::array<std::string_view, 3> kCas{"key", "from", "to"};
  static constexpr std::array<std::string_view, 2> kWrite{"key", "value"};
  static constexpr std::array<std::string_view, 1> kRead{"key"};
  if (type == "cas") return kCas;
  if (type == "write") return kWrite;
  return kRead;
}

// Those of the request that are not about the message itself.
std::string members_of(const Message& request) {
  std::string members;
  for (const BodyField& field : request.body) {
    if (field.key == "type" || field.key == "msg_id" || field.key == "in_reply_to") continue;
    members += ',';
    append_json_string(members, field.key);
    members += ':';
    append_minified(members, field.text);
  }
  return members;
}

}  // namespace

ServiceProxy::ServiceProxy(std::string service, Duration timeout, Calls& calls,
                           MessageWriter& writer)
    : service_(std::move(service)), timeout_(timeout), calls_(calls), writer_(writer) {}

std::optional<Refusal> ServiceProxy::forward(const Message& request, TimePoint now) {
  for (const std::string_view member : needed_members(*request.type)) {
    if (request.find(member) != nullptr) continue;
    return Refusal{static_cast<int64_t>(ErrorCode::malformed_request),
                   fmt::format("{} needs a '{}'", *request.type, member)};
  }
  if (!calls_.may_call()) {
    return Refusal{static_cast<int64_t>(ErrorCode::unavailable),
                   "too many requests wait for their answers"};
  }
  calls_.call(service_, *request.type, members_of(request), now + timeout_,
              [this, client = Client{std::string(request.source), request.msg_id,
                                     std::string(*request.type)}](
                  const Message* answer, TimePoint) { end(client, answer); });
  return std::nullopt;
}

// Only what a client of the service knows is passed on: with another member in it Maelstrom takes
// an answer for broken.
void ServiceProxy::end(const Client& client, const Message* answer) {
  const Asker asker{.source = client.name, .msg_id = client.msg_id};
  const auto unknown = [&](std::string_view why) {
    writer_.error(asker, {static_cast<int64_t>(ErrorCode::timeout),
                          fmt::format("{} {}: it may have been carried out", service_, why)});
  };
  if (answer == nullptr) return unknown("did not answer in time");
  if (answer->type == "error") {
    const auto code = answer->integer("code");
    if (!code) return unknown("answered with an error without a code");
    return writer_.error(asker, {*code, std::string(answer->string("text").value_or(""))});
  }
  if (answer->type != client.type + "_ok") return unknown("answered something else");
  if (client.type != "read") return writer_.reply(asker, client.type, "");
  const BodyField* value = answer->find("value");
  if (value == nullptr) return unknown("answered without a value");
  std::string members = R"(,"value":)";
  append_minified(members, value->text);
  writer_.reply(asker, client.type, members);
}

}  // namespace sluice
