// Wiring only: from the command line to what was asked for.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "sluice/base/log.h"
#include "sluice/config/log_target.h"
#include "sluice/config/reader.h"
#include "sluice/config/report.h"
#include "sluice/control/command_line.h"
#include "sluice/control/ctl.h"
#include "sluice/control/demo.h"
#include "sluice/control/descriptors.h"
#include "sluice/control/machine_limits.h"
#include "sluice/control/server.h"
#include "sluice/control/server_logs.h"
#include "sluice/maelstrom/node.h"

namespace sluice {
namespace {

// The exit statuses of the contract.
constexpr int kDone = 0;
constexpr int kInvalidConfig = 1;
constexpr int kCannotRun = 3;

// A stderr that takes nothing is no reason to end differently.
void say(const std::string& text) { std::fputs(text.c_str(), stderr); }

int say_error(int status, const std::string& message) {
  say(fmt::format("sluice: {}\n", message));
  return status;
}

// What was asked for on stdout must have arrived there.
int after_output(int status) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  return say_error(kCannotRun, fmt::format("cannot write to stdout: {}", std::strerror(errno)));
}

std::optional<std::string> from_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// Reads and validates; prints what is wrong to stderr.
std::optional<Config> load_config(const std::string& file, std::span<const Override> overrides) {
  const auto text = read_file(file, kConfigBytesMax);
  if (!text) {
    say_error(kInvalidConfig, text.error().message);
    return std::nullopt;
  }
  ReadResult result = read_config(*text, from_environment, overrides);
  say(render_problems(file, *text, result.problems));
  return std::move(result.config);
}

// no-color.org: an empty NO_COLOR is none.
bool wants_color(int fd) {
  return ::isatty(fd) == 1 && from_environment("NO_COLOR").value_or("").empty();
}

bool wants_color_in(const std::string& log_file) {
  const LogTarget target = log_target(log_file);
  if (target == LogTarget::standard_output) return wants_color(STDOUT_FILENO);
  const bool is_stderr = target == LogTarget::none || target == LogTarget::standard_error;
  return is_stderr && wants_color(STDERR_FILENO);
}

int run(const RunCommand& command) {
  const auto config = load_config(command.config_file, command.overrides);
  if (!config) return kInvalidConfig;
  if (const auto enough = check_descriptor_floor(); !enough) {
    return say_error(kCannotRun, enough.error().message);
  }
  Descriptors descriptors;
  auto sink = open_log_sink(descriptors, config->log.file, config->log.syslog);
  if (!sink) return say_error(kCannotRun, "log: " + sink.error().message);
  Log log(std::move(*sink), {.level = config->log.level,
                             .format = config->log.format,
                             .use_color = wants_color_in(config->log.file)});
  Server server(*config, log, descriptors);
  if (const auto started = server.start(); !started) {
    descriptors.remove_socket_files();
    return say_error(kCannotRun, started.error().message);
  }
  server.run();
  return kDone;
}

int check(const CheckCommand& command) {
  const auto config = load_config(command.config_file, command.overrides);
  if (!config) return kInvalidConfig;
  std::puts(fmt::format("{}: valid", command.config_file).c_str());
  return after_output(kDone);
}

// Beside a server that fronts the listeners, on its control loop.
int run_node_beside_server(const NodeOptions& options, const NodeDescriptors& descriptors) {
  const Config& config = *options.config;
  for (const std::string& file : {config.access_log.file, config.log.file}) {
    if (log_target(file) == LogTarget::standard_output) {
      return say_error(kInvalidConfig, "stdout is for messages: write that log elsewhere");
    }
  }
  if (const auto enough = check_descriptor_floor(); !enough) {
    return say_error(kCannotRun, enough.error().message);
  }
  Descriptors privileged;
  auto sink = open_log_sink(privileged, config.log.file, config.log.syslog);
  if (!sink) return say_error(kCannotRun, "log: " + sink.error().message);
  Log log(std::move(*sink), {.level = config.log.level, .format = config.log.format});
  Server server(config, log, privileged);
  if (const auto started = server.start(); !started) {
    privileged.remove_socket_files();
    return say_error(kCannotRun, started.error().message);
  }
  const auto replace_backends = [&server](const std::string& cluster,
                                          std::vector<BackendConfig> backends,
                                          std::function<void()> on_adopted) {
    server.replace_backends(cluster, std::move(backends), std::move(on_adopted));
  };
  NodeHost host{.loop = server.loop(),
                .served = {.clusters = server.clusters(), .replace_backends = replace_backends},
                .run = [&server] { server.run(); },
                .stop = [&server] { server.drain(); }};
  return run_maelstrom_node(options, descriptors, &host);
}

int maelstrom(const MaelstromCommand& command) {
  NodeOptions options{.config = std::nullopt,
                      .manual_clock = command.manual_clock,
                      .service = command.service,
                      .service_timeout = command.service_timeout};
  if (command.config_file) {
    options.config = load_config(*command.config_file, {});
    if (!options.config) return kInvalidConfig;
  }
  const NodeDescriptors descriptors{
      .input = STDIN_FILENO, .output = STDOUT_FILENO, .errors = STDERR_FILENO};
  // Sockets know no manual clock.
  if (options.config && !options.manual_clock) return run_node_beside_server(options, descriptors);
  return run_maelstrom_node(options, descriptors);
}

int ctl(const CtlCommand& command) {
  return run_ctl(command, {.admin = from_environment("SLUICE_ADMIN").value_or(""),
                           .use_color = wants_color(STDOUT_FILENO)});
}

struct Dispatch {
  int operator()(const RunCommand& command) const { return run(command); }
  int operator()(const CheckCommand& command) const { return check(command); }
  int operator()(const MaelstromCommand& command) const { return maelstrom(command); }
  int operator()(const DemoCommand& command) const {
    return run_demo({.duration = command.duration});
  }
  int operator()(const CtlCommand& command) const { return ctl(command); }
  int operator()(const ExitCommand& command) const { return after_output(command.status); }
};

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  // A peer that is gone is an error of the write (EPIPE), and splice() knows no MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  sluice::fill_standard_descriptors();
  return std::visit(sluice::Dispatch{}, sluice::parse_command_line(argc, argv));
}
