#include "sluice/control/command_line.h"

#include <fmt/format.h>
#include <microhttpd.h>
#include <simdjson.h>
#include <spdlog/version.h>
#include <uv.h>

#include <CLI/CLI.hpp>
#include <string_view>

#include "admin/session_query.h"
#include "build_info.h"
#include "sluice/core/backend.h"

namespace sluice {
namespace {

constexpr int kBadUsage = 2;
constexpr int kWorkersMax = 1024;
constexpr std::string_view kMaelstromName = "sluice-maelstrom";

std::string version_text() {
  return fmt::format(
      "sluice {}\nbuild: {}, {}\nlibuv {}, simdjson {}.{}.{}, fmt {}.{}.{}, spdlog {}.{}.{}, "
      "libmicrohttpd {}\n",
      kVersion, kBuildType, kCompiler, uv_version_string(), simdjson::SIMDJSON_VERSION_MAJOR,
      simdjson::SIMDJSON_VERSION_MINOR, simdjson::SIMDJSON_VERSION_REVISION, FMT_VERSION / 10000,
      FMT_VERSION / 100 % 100, FMT_VERSION % 100, SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR,
      SPDLOG_VER_PATCH, MHD_get_version());
}

// What `run` and `check` share.
struct ConfigOptions {
  std::string file;
  std::vector<std::string> settings;
  std::string workers;
  std::string log_level;

  void add_to(CLI::App& app) {
    app.add_option("-c,--config", file, "the configuration file")->type_name("FILE");
    app.add_option("--set", settings,
                   "override one setting, as in clusters.web.connect_timeout=500ms")
        ->type_name("SETTING=VALUE")
        ->allow_extra_args(false);
    app.add_option("--workers", workers, "worker threads: a number, or auto")
        ->type_name("N|auto")
        ->check(CLI::IsMember({"auto"}) | CLI::Range(1, kWorkersMax));
    app.add_option("--log-level", log_level, "debug, info, warning or error")
        ->type_name("LEVEL")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  }

  // The last word on a setting wins, and the special options come after --set.
  std::vector<Override> overrides() const {
    std::vector<Override> result;
    for (const std::string& setting : settings) {
      const size_t equals = setting.find('=');
      if (equals == std::string::npos || equals == 0) {
        throw CLI::ValidationError("--set", "'" + setting + "' is not of the form SETTING=VALUE");
      }
      result.push_back({setting.substr(0, equals), setting.substr(equals + 1)});
    }
    if (!workers.empty()) result.push_back({"workers", workers});
    if (!log_level.empty()) result.push_back({"log.level", log_level});
    return result;
  }

  const std::string& required_file() const {
    if (file.empty()) throw CLI::RequiredError("-c FILE");
    return file;
  }
};

// An empty word is one that a script's variable has not.
std::string is_given(const std::string& word) { return word.empty() ? "it is empty" : ""; }

// `sluice ctl` and its words. Options may stand before and after the word.
class CtlOptions {
 public:
  explicit CtlOptions(CLI::App& app)
      : ctl_(app.add_subcommand("ctl", "the admin API of a running one, from a shell")) {
    ctl_->require_subcommand(1);
    ctl_->add_option("--admin", command_.admin,
                     "where its admin.address is; SLUICE_ADMIN when it is not given")
        ->type_name("ADDRESS");
    ctl_->add_option("--token-file", command_.token_file, "the same file as its admin.token_file")
        ->type_name("FILE");
    ctl_->add_flag("--json", command_.wants_json, "print what the API answers");
    add("status", "the process: state, sessions, workers");
    add("clusters", "each backend: its state, health and breaker");
    add("listeners", "where clients connect");
    add_sessions();
    add("events", "what happens, as it happens");
    add("config", "the running configuration, defaults filled in");
    add_for_backend("ready", "let it have new connections");
    CLI::App* drain = add("drain", "no new connections for a backend, or for the whole process");
    drain->add_option("backend", backend_, "CLUSTER/BACKEND")->check(&is_given);
    drain->add_flag("--process", command_.is_of_process,
                    "end the process when its sessions have ended");
    add_for_backend("maintenance", "no new connections for it");
    add_for_backend("trip", "open its breaker");
    add_for_backend("reset", "close its breaker and forget its failures");
    add_for_backend("weight", "set its weight")
        ->add_option("weight", weight_, "0 to 1000")
        ->required()
        ->check(CLI::Range(0U, kBackendWeightMax));
    add("close", "end a session")
        ->add_option("session", session_, "its id")
        ->required()
        ->check(&is_given);
    add("reload", "read the configuration anew");
  }

  bool is_parsed() const { return ctl_->parsed(); }

  CtlCommand command() {
    command_.verb = ctl_->get_subcommands().front()->get_name();
    if (command_.verb == "drain" && backend_.empty() != command_.is_of_process) {
      throw CLI::ValidationError("drain", "either CLUSTER/BACKEND or --process");
    }
    for (const std::string& argument : {backend_, weight_, session_}) {
      if (!argument.empty()) command_.arguments.push_back(argument);
    }
    if (sessions_->parsed()) command_.filters = filters();
    return command_;
  }

 private:
  CLI::App* add(const std::string& word, const std::string& help) {
    return ctl_->add_subcommand(word, help)->fallthrough();
  }
  CLI::App* add_for_backend(const std::string& word, const std::string& help) {
    CLI::App* app = add(word, help);
    app->add_option("backend", backend_, "CLUSTER/BACKEND")->required()->check(&is_given);
    return app;
  }

  void add_sessions() {
    sessions_ = add("sessions", "live sessions, the youngest first");
    sessions_->add_option("--limit", limit_, "how many, 100 if not said")
        ->type_name("N")
        ->check(CLI::Range(1, static_cast<int>(kSessionsMax)));
    sessions_->add_option("--listener", listener_, "only what came in there")->type_name("NAME");
    sessions_->add_option("--cluster", cluster_, "only what went there")->type_name("NAME");
    sessions_->add_option("--backend", at_backend_, "only what is at this one")
        ->type_name("CLUSTER/BACKEND");
    sessions_->add_option("--after", after_, "only what is listed behind this one")
        ->type_name("SESSION");
  }

  std::vector<std::pair<std::string, std::string>> filters() const {
    if (!at_backend_.empty() && !cluster_.empty()) {
      throw CLI::ValidationError("--backend", "it names its cluster: no --cluster beside it");
    }
    std::vector<std::pair<std::string, std::string>> filters;
    for (const auto& [name, value] : {std::pair("limit", &limit_),
                                      {"listener", &listener_},
                                      {"cluster", &cluster_},
                                      {"backend", &at_backend_},
                                      {"after", &after_}}) {
      const std::string option = std::string("--") + name;
      if (sessions_->count(option) == 0) continue;
      if (value->empty()) throw CLI::ValidationError(option, "it is empty");
      filters.emplace_back(name, *value);
    }
    return filters;
  }

  CLI::App* ctl_;
  CLI::App* sessions_ = nullptr;
  CtlCommand command_;
  std::string backend_;
  std::string weight_;
  std::string session_;
  std::string limit_;
  std::string listener_;
  std::string cluster_;
  std::string at_backend_;
  std::string after_;
};

Command parse(CLI::App& app, int argc, char** argv) {
  app.require_subcommand(0, 1);
  app.set_help_flag("-h,--help", "print this help and exit");
  app.set_version_flag("--version", version_text(), "print versions and exit");
  // `sluice -c FILE` is `sluice run -c FILE`.
  ConfigOptions run_options;
  run_options.add_to(app);

  CLI::App* run = app.add_subcommand("run", "front the services in FILE, in the foreground");
  run_options.add_to(*run);
  ConfigOptions check_options;
  CLI::App* check =
      app.add_subcommand("check", "validate FILE and print every problem; touches nothing");
  check_options.add_to(*check);

  MaelstromCommand maelstrom;
  CLI::App* node =
      app.add_subcommand("maelstrom", "a Maelstrom node: JSON lines on stdin and stdout");
  node->add_option("-c,--config", maelstrom.config_file,
                   "front the listeners of this configuration too")
      ->type_name("FILE");
  node->add_flag("--manual-clock", maelstrom.manual_clock,
                 "time moves only by the message 'advance'; no listeners then");
  node->add_option("--service", maelstrom.service, "who carries out read, write and cas")
      ->type_name("NAME");
  int64_t service_timeout_ms = maelstrom.service_timeout.count();
  node->add_option("--service-timeout", service_timeout_ms, "how long its answer is waited for")
      ->type_name("MS")
      ->check(CLI::Range(1, 600'000));

  int64_t seconds = DemoCommand{}.duration.count();
  CLI::App* demo = app.add_subcommand("demo", "see a breaker at work, with embedded backends");
  demo->add_option("--seconds", seconds, "how long it runs")->check(CLI::Range(2, 86400));

  CtlOptions ctl(app);

  app.parse(argc, argv);
  if (ctl.is_parsed()) return ctl.command();
  if (check->parsed())
    return CheckCommand{check_options.required_file(), check_options.overrides()};
  maelstrom.service_timeout = std::chrono::milliseconds(service_timeout_ms);
  if (node->parsed()) return maelstrom;
  if (demo->parsed()) return DemoCommand{std::chrono::seconds(seconds)};
  return RunCommand{run_options.required_file(), run_options.overrides()};
}

}  // namespace

Command parse_command_line(int argc, char** argv) {
  const std::string_view program = argc > 0 ? argv[0] : "";
  std::vector<char*> arguments(argv, argv + argc);
  std::string node_command = "maelstrom";
  const bool is_node = program.substr(program.rfind('/') + 1) == kMaelstromName;
  const bool wants_version = argc == 2 && argv[1] == std::string_view("--version");
  if (is_node && !wants_version) {
    arguments.insert(arguments.begin() + 1, node_command.data());
  }
  CLI::App app("Sluice, a layer-4 TCP load balancer", "sluice");
  try {
    return parse(app, static_cast<int>(arguments.size()), arguments.data());
  } catch (const CLI::ParseError& error) {
    return ExitCommand{app.exit(error) == 0 ? 0 : kBadUsage};
  }
}

}  // namespace sluice
