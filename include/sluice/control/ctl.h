// `sluice ctl`: the admin API from a shell. One request, one answer, as a table for people or as
// the JSON that came; `events` goes on until it is ended.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sluice {

struct CtlCommand {
  std::string admin;       // address; empty: what SLUICE_ADMIN says
  std::string token_file;  // empty: no token is sent
  bool wants_json = false;
  std::string verb;  // as on the command line: status, drain, ...
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> filters;  // of sessions, as the API calls them
  bool is_of_process = false;                                // drain --process
};

// What comes from outside of the command line.
struct CtlSurroundings {
  std::string admin;  // SLUICE_ADMIN
  bool use_color = false;
};

// Prints to stdout, what is wrong to stderr. The exit status: 0 done, 1 the server said no, 2 bad
// usage, 3 the server cannot be reached. Blocks.
int run_ctl(const CtlCommand& command, const CtlSurroundings& surroundings);

}  // namespace sluice
