// The command line: what was asked for, as a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sluice/config/reader.h"
#include "sluice/control/ctl.h"

namespace sluice {

struct RunCommand {
  std::string config_file;
  std::vector<Override> overrides;
};
struct CheckCommand {
  std::string config_file;
  std::vector<Override> overrides;
};
struct MaelstromCommand {
  std::optional<std::string> config_file;
  bool manual_clock = false;
  std::string service = "lin-kv";
  std::chrono::milliseconds service_timeout{750};
};
struct DemoCommand {
  std::chrono::seconds duration{20};
};
// Nothing is left to do but to exit: help or the version was printed, or the usage was wrong.
struct ExitCommand {
  int status = 0;
};

using Command =
    std::variant<RunCommand, CheckCommand, MaelstromCommand, DemoCommand, CtlCommand, ExitCommand>;

// Prints help and version to stdout, errors of usage to stderr (exit status 2).
Command parse_command_line(int argc, char** argv);

}  // namespace sluice
