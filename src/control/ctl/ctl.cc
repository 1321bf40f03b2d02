#include "sluice/control/ctl.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <optional>
#include <string_view>

#include "../admin/admin_guard.h"
#include "../admin/http_target.h"
#include "ctl_client.h"
#include "ctl_output.h"
#include "sluice/base/address.h"
#include "sluice/control/descriptors.h"

namespace sluice {
namespace {

constexpr int kDone = 0;
constexpr int kRefused = 1;
constexpr int kBadUsage = 2;
constexpr int kCannotReach = 3;
constexpr size_t kTokenFileBytesMax = 4096;

int complain(int status, std::string_view message) {
  std::fputs(fmt::format("sluice ctl: {}\n", message).c_str(), stderr);
  return status;
}

// What a word of the command line asks for. For a backend `target` is the last word of the path,
// for a session it is the path up to its id.
struct Verb {
  enum class Argument : uint8_t { none, backend, session, limit };
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
    {"sessions", "GET", "/api/sessions", Argument::limit, CtlView::sessions},
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

// C/B; a backend's name may have slashes of its own.
std::optional<std::string> backend_target(const Verb& verb, const CtlCommand& command) {
  const std::string& name = command.arguments[0];
  const size_t slash = name.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == name.size()) return std::nullopt;
  std::string target =
      fmt::format("/api/clusters/{}/backends/{}/{}", escape_segment(name.substr(0, slash)),
                  escape_segment(name.substr(slash + 1)), verb.target);
  if (command.arguments.size() > 1) target += "?value=" + escape_segment(command.arguments[1]);
  return target;
}

std::optional<std::string> target_of(const Verb& verb, const CtlCommand& command) {
  switch (verb.argument) {
    case Argument::none:
      return std::string(verb.target);
    case Argument::backend:
      return backend_target(verb, command);
    case Argument::session:
      return fmt::format("{}{}/close", verb.target, escape_segment(command.arguments[0]));
    case Argument::limit:
      if (command.arguments.empty()) return std::string(verb.target);
      return fmt::format("{}?limit={}", verb.target, escape_segment(command.arguments[0]));
  }
  return std::nullopt;
}

Result<Address> find_server(const CtlCommand& command, const CtlSurroundings& surroundings) {
  std::string text = command.admin.empty() ? surroundings.admin : command.admin;
  if (text.empty()) {
    return failure(
        "where is the admin API? Say --admin ADDRESS or set SLUICE_ADMIN to what "
        "admin.address in the server's configuration says, as 127.0.0.1:9901");
  }
  constexpr std::string_view kScheme = "http://";
  if (text.starts_with(kScheme)) text.erase(0, kScheme.size());
  while (text.ends_with('/')) text.pop_back();
  return Address::parse(text);
}

Result<std::string> load_token(const std::string& path) {
  if (path.empty()) return std::string();
  const auto file_text = read_file(path, kTokenFileBytesMax);
  if (!file_text) return tl::unexpected(file_text.error());
  auto token = read_token(*file_text);
  if (!token) return failure(fmt::format("{}: {}", path, token.error().message));
  return token;
}

int refuse(const CtlAnswer& answer, bool wants_json) {
  if (wants_json) std::fputs(answer.body.c_str(), stdout);
  return complain(kRefused, error_of(answer.body));
}

int follow_events(CtlClient& client, const CtlRequest& request, const CtlCommand& command,
                  bool use_color) {
  CtlEventReader reader(
      command.wants_json ? CtlEventReader::Form::json : CtlEventReader::Form::text, use_color);
  bool is_stdout_gone = false;
  const auto on_text = [&](std::string_view text) {
    std::fputs(reader.take(text).c_str(), stdout);
    is_stdout_gone = std::fflush(stdout) != 0;
    return !is_stdout_gone;
  };
  const auto answer = client.follow(request, on_text);
  if (is_stdout_gone) return kDone;  // whoever read it has had enough
  if (!answer) return complain(kCannotReach, answer.error().message);
  if (answer->status != 200) return refuse(*answer, command.wants_json);
  return complain(kCannotReach, "the server has ended the stream");
}

}  // namespace

int run_ctl(const CtlCommand& command, const CtlSurroundings& surroundings) {
  const Verb* verb = find_verb(command);
  if (verb == nullptr) return complain(kBadUsage, "there is no command " + command.verb);
  const auto server = find_server(command, surroundings);
  if (!server) return complain(kBadUsage, server.error().message);
  const auto target = target_of(*verb, command);
  if (!target) {
    return complain(kBadUsage,
                    fmt::format("'{}' is not of the form CLUSTER/BACKEND", command.arguments[0]));
  }
  auto token = load_token(command.token_file);
  if (!token) return complain(kBadUsage, token.error().message);
  const CtlRequest request{
      .method = std::string(verb->method), .target = *target, .token = std::move(*token)};
  CtlClient client(*server);
  if (verb->word == "events") {
    return follow_events(client, request, command, surroundings.use_color);
  }
  const auto answer = client.ask(request);
  if (!answer) return complain(kCannotReach, answer.error().message);
  if (answer->status >= 300) return refuse(*answer, command.wants_json);
  if (command.wants_json) {
    std::fputs(answer->body.c_str(), stdout);
    return kDone;
  }
  const auto text = render_ctl(verb->view, answer->body, surroundings.use_color);
  if (!text) return complain(kCannotReach, text.error().message);
  std::fputs(text->c_str(), stdout);
  return kDone;
}

}  // namespace sluice
