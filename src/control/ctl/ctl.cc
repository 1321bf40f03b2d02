#include "sluice/control/ctl.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "../admin/http_target.h"
#include "../admin/token_file.h"
#include "ctl_client.h"
#include "ctl_events.h"
#include "ctl_output.h"
#include "sluice/base/address.h"

namespace sluice {
namespace {

constexpr int kDone = 0;
constexpr int kRefused = 1;
constexpr int kBadUsage = 2;
constexpr int kCannotReach = 3;
// Of a name that is all slashes not each is tried.
constexpr size_t kTargetsMax = 8;

int complain(int status, std::string_view message) {
  std::fputs(fmt::format("sluice ctl: {}\n", message).c_str(), stderr);
  return status;
}

// What was asked for on stdout must have arrived there; whoever has closed it wants no more of it.
int end_output(int error) {
  if (error == 0 || error == EPIPE) return kDone;
  return complain(kCannotReach, fmt::format("cannot write to stdout: {}", std::strerror(error)));
}

// 0, or why it did not go out.
int write_out(std::string_view text) {
  const bool is_out =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return is_out ? 0 : errno;
}

// What a word of the command line asks for. For a backend `target` is the last word of the path,
// for a session it is the path up to its id.
struct Verb {
  enum class Argument : uint8_t { none, backend, session, filters };
  std::string_view word;
  std::string_view method;
  std::string_view target;
  Argument argument;
  CtlView view;
};

using Argument = Verb::Argument;

constexpr std::array<Verb, 14> kVerbs = {{
    {"status", "GET", "/api/status", Argument::none, CtlView::status},
    {"clusters", "GET", "/api/clusters", Argument::none, CtlView::clusters},
    {"listeners", "GET", "/api/listeners", Argument::none, CtlView::listeners},
    {"sessions", "GET", "/api/sessions", Argument::filters, CtlView::sessions},
    {"events", "GET", "/api/events", Argument::none, CtlView::done},
    {"config", "GET", "/api/config", Argument::none, CtlView::json},
    {"ready", "POST", "ready", Argument::backend, CtlView::backend},
    {"drain", "POST", "drain", Argument::backend, CtlView::backend},
    {"maintenance", "POST", "maintenance", Argument::backend, CtlView::backend},
    {"trip", "POST", "trip", Argument::backend, CtlView::backend},
    {"reset", "POST", "reset", Argument::backend, CtlView::backend},
    {"weight", "POST", "weight", Argument::backend, CtlView::backend},
    {"close", "POST", "/api/sessions/", Argument::session, CtlView::done},
    {"reload", "POST", "/api/reload", Argument::none, CtlView::done},
}};

constexpr Verb kDrainProcess{"drain", "POST", "/api/drain", Argument::none, CtlView::done};

const Verb* find_verb(const CtlCommand& command) {
  if (command.is_of_process) return &kDrainProcess;
  for (const Verb& verb : kVerbs) {
    if (verb.word == command.verb) return &verb;
  }
  return nullptr;
}

// C/B as two names, escaped. Both may have slashes of their own, so each of them may be the one
// between: the first one that there is such a cluster for. Nothing when there is none that could
// be.
std::vector<std::pair<std::string, std::string>> split_backend(const std::string& name) {
  std::vector<std::pair<std::string, std::string>> names;
  for (size_t slash = name.find('/'); slash != std::string::npos && names.size() < kTargetsMax;
       slash = name.find('/', slash + 1)) {
    if (slash == 0 || slash + 1 == name.size()) continue;
    names.emplace_back(escape_segment(name.substr(0, slash)),
                       escape_segment(name.substr(slash + 1)));
  }
  return names;
}

std::vector<std::string> backend_targets(const Verb& verb, const CtlCommand& command) {
  std::vector<std::string> targets;
  for (const auto& [cluster, backend] : split_backend(command.arguments[0])) {
    targets.push_back(
        fmt::format("/api/clusters/{}/backends/{}/{}", cluster, backend, verb.target));
    if (command.arguments.size() < 2) continue;
    targets.back() += "?value=" + escape_segment(command.arguments[1]);
  }
  return targets;
}

// Empty when there is none.
std::string backend_filter(const CtlCommand& command) {
  for (const auto& [name, value] : command.filters) {
    if (name == "backend") return value;
  }
  return {};
}

std::vector<std::string> filtered_targets(const Verb& verb, const CtlCommand& command) {
  std::string target = std::string(verb.target) + "?";
  for (const auto& [name, value] : command.filters) {
    if (name != "backend") target += fmt::format("{}={}&", name, escape_segment(value));
  }
  const std::string at_backend = backend_filter(command);
  if (at_backend.empty()) {
    target.pop_back();
    return {target};
  }
  std::vector<std::string> targets;
  for (const auto& [cluster, backend] : split_backend(at_backend)) {
    targets.push_back(fmt::format("{}cluster={}&backend={}", target, cluster, backend));
  }
  return targets;
}

std::vector<std::string> targets_of(const Verb& verb, const CtlCommand& command) {
  switch (verb.argument) {
    case Argument::none:
      return {std::string(verb.target)};
    case Argument::backend:
      return backend_targets(verb, command);
    case Argument::session:
      return {fmt::format("{}{}/close", verb.target, escape_segment(command.arguments[0]))};
    case Argument::filters:
      return filtered_targets(verb, command);
  }
  return {};
}

Result<Address> find_server(const CtlCommand& command, const CtlSurroundings& surroundings) {
  std::string text = command.admin.empty() ? surroundings.admin : command.admin;
  if (text.empty()) {
    return failure(
        "where is the admin API? Say --admin ADDRESS or set SLUICE_ADMIN to what "
        "admin.address in the server's configuration says, as 127.0.0.1:9900");
  }
  constexpr std::string_view kScheme = "http://";
  if (text.starts_with("https://")) {
    return failure("the admin API speaks http, not https: write " +
                   text.substr(kScheme.size() + 1));
  }
  if (text.starts_with(kScheme)) {
    text.erase(0, kScheme.size());
    while (text.ends_with('/')) text.pop_back();
  }
  return Address::parse(text);
}

bool is_yes(const CtlAnswer& answer) { return answer.status / 100 == 2; }

int refuse(const CtlAnswer& answer, const CtlCommand& command) {
  constexpr unsigned kUnauthorized = 401;
  if (command.wants_json) write_out(answer.body);
  std::string why = error_of(answer.body);
  if (why.empty()) why = fmt::format("the answer is {}, and nothing more", answer.status);
  if (answer.status == kUnauthorized) {
    why += command.token_file.empty()
               ? ": say --token-file FILE, with the token of the server's admin.token_file in it"
               : fmt::format(": {} has another than the server's admin.token_file",
                             command.token_file);
  }
  return complain(kRefused, why);
}

int show(const Verb& verb, const CtlAnswer& answer, bool wants_json, bool use_color) {
  const CtlView view = wants_json ? CtlView::done : verb.view;
  const auto text = render_ctl(view, answer.body, use_color);
  if (text) return end_output(write_out(wants_json ? answer.body : *text));
  return complain(kCannotReach, wants_json ? "the answer is no JSON: " + error_of(answer.body)
                                           : text.error().message);
}

// Asks for one after another until there is one; the answer to the first when there is none.
Result<CtlAnswer> ask(CtlClient& client, CtlRequest request,
                      const std::vector<std::string>& targets) {
  constexpr unsigned kNotFound = 404;
  Result<CtlAnswer> first;
  for (const std::string& target : targets) {
    request.target = target;
    auto answer = client.ask(request);
    if (!answer || answer->status != kNotFound) return answer;
    if (&target == &targets.front()) first = std::move(answer);
  }
  return first;
}

int follow_events(CtlClient& client, const CtlRequest& request, const CtlCommand& command,
                  bool use_color) {
  CtlEventReader reader(
      command.wants_json ? CtlEventReader::Form::json : CtlEventReader::Form::text, use_color);
  int output_error = 0;
  const auto on_text = [&reader, &output_error](std::string_view text) {
    output_error = write_out(reader.take(text));
    return output_error == 0 && !reader.is_lost();
  };
  const auto answer = client.follow(request, on_text);
  if (output_error != 0) return end_output(output_error);
  if (!answer) return complain(kCannotReach, answer.error().message);
  if (answer->status != 200) return refuse(*answer, command);
  return complain(kCannotReach, "the server has ended the stream");
}

}  // namespace

int run_ctl(const CtlCommand& command, const CtlSurroundings& surroundings) {
  const Verb* verb = find_verb(command);
  if (verb == nullptr) return complain(kBadUsage, "there is no command " + command.verb);
  const auto server = find_server(command, surroundings);
  if (!server) return complain(kBadUsage, server.error().message);
  const auto targets = targets_of(*verb, command);
  if (targets.empty()) {
    const std::string name =
        command.arguments.empty() ? backend_filter(command) : command.arguments[0];
    return complain(kBadUsage, fmt::format("'{}' is not of the form CLUSTER/BACKEND", name));
  }
  auto token = command.token_file.empty() ? Result<std::string>() : load_token(command.token_file);
  if (!token) return complain(kBadUsage, token.error().message);
  const CtlRequest request{
      .method = std::string(verb->method), .target = targets.front(), .token = std::move(*token)};
  CtlClient client(*server);
  if (verb->word == "events") {
    return follow_events(client, request, command, surroundings.use_color);
  }
  const auto answer = ask(client, request, targets);
  if (!answer) return complain(kCannotReach, answer.error().message);
  if (!is_yes(*answer)) return refuse(*answer, command);
  return show(*verb, *answer, command.wants_json, surroundings.use_color);
}

}  // namespace sluice
