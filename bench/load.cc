// The load of bench/run, one thread: either the server behind the proxy or the clients in front.
//
//   bench-load backend echo|reply|source|sink|both|mixed --port P [--bytes N] [--every-address 1]
//       prints "ready", then serves
//   bench-load client ping_pong|reconnect|idle|receive|send|both|demand|fetch|stall --port P
//       [--connections N] [--bytes N] [--units N] [--rate N]
//       prints "ready" once every connection has done its first work, then goes on; with --rate
//       the ping_pong requests are sent on a schedule, so many a second over all connections
//
// Both obey `mark` (count from here) and `report` (one line of JSON) on stdin and end with it. With
// --units the clients end after that many units and report by themselves. Exit status 3: an error,
// told on stderr, so that what was measured is worth nothing.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "load_backend.h"
#include "load_client.h"
#include "load_loop.h"
#include "load_stats.h"

namespace sluice::bench {
namespace {

struct CommandLine {
  std::string_view mode;
  uint64_t port = 0;
  uint64_t connections = 1;
  uint64_t bytes = 64;
  std::optional<uint64_t> units_max;
  std::optional<uint64_t> rate;
  Reach reach = Reach::one_address;
};

[[noreturn]] void refuse(std::string_view what) {
  std::fputs(fmt::format("bench-load: {}; see the top of bench/load.cc\n", what).c_str(), stderr);
  std::exit(2);
}

uint64_t read_number(std::string_view text) {
  uint64_t value = 0;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || stop != text.data() + text.size() || value == 0) {
    refuse(fmt::format("'{}' is not a positive number", text));
  }
  return value;
}

CommandLine read_command_line(std::span<char*> arguments) {
  CommandLine line;
  line.mode = arguments[0];
  for (size_t i = 1; i + 1 < arguments.size(); i += 2) {
    const std::string_view name = arguments[i];
    const uint64_t value = read_number(arguments[i + 1]);
    if (name == "--port") {
      line.port = value;
    } else if (name == "--connections") {
      line.connections = value;
    } else if (name == "--bytes") {
      line.bytes = value;
    } else if (name == "--units") {
      line.units_max = value;
    } else if (name == "--rate") {
      line.rate = value;
    } else if (name == "--every-address") {
      line.reach = Reach::every_address;
    } else {
      refuse(fmt::format("there is no option '{}'", name));
    }
  }
  return line;
}

template <typename Mode, size_t Count>
Mode find_mode(const std::array<std::pair<std::string_view, Mode>, Count>& modes,
               std::string_view name) {
  for (const auto& [known, mode] : modes) {
    if (known == name) return mode;
  }
  refuse(fmt::format("there is no mode '{}'", name));
}

// As many descriptors as may be had: 5,000 clients need 5,000.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void run_backend(const CommandLine& line) {
  constexpr std::array<std::pair<std::string_view, BackendMode>, 6> kModes{{
      {"echo", BackendMode::echo},
      {"reply", BackendMode::reply},
      {"source", BackendMode::source},
      {"sink", BackendMode::sink},
      {"both", BackendMode::both},
      {"mixed", BackendMode::mixed},
  }};
  Stats stats;
  Loop loop(stats);
  const Backend backend(loop, stats, find_mode(kModes, line.mode), line.bytes,
                        static_cast<uint16_t>(line.port), line.reach);
  say("ready");
  loop.run();
}

void run_clients(const CommandLine& line) {
  constexpr std::array<std::pair<std::string_view, ClientMode>, 9> kModes{{
      {"ping_pong", ClientMode::ping_pong},
      {"reconnect", ClientMode::reconnect},
      {"idle", ClientMode::idle},
      {"receive", ClientMode::receive},
      {"send", ClientMode::send},
      {"both", ClientMode::both},
      {"demand", ClientMode::demand},
      {"fetch", ClientMode::fetch},
      {"stall", ClientMode::stall},
  }};
  ClientOptions options{.mode = find_mode(kModes, line.mode),
                        .connections = line.connections,
                        .bytes = line.bytes,
                        .units_max = line.units_max,
                        .rate = line.rate};
  if (line.rate && options.mode != ClientMode::ping_pong) refuse("--rate is for ping_pong");
  options.target.sin_family = AF_INET;
  options.target.sin_port = htons(static_cast<uint16_t>(line.port));
  options.target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Stats stats;
  Loop loop(stats);
  const Clients clients(loop, stats, options);
  loop.run();
  if (options.units_max) say(stats.report());
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  const std::span<char*> arguments(argv, static_cast<size_t>(argc));
  if (arguments.size() < 3) refuse("say backend or client, and a mode");
  raise_descriptor_limit();
  const CommandLine line = read_command_line(arguments.subspan(2));
  if (std::string_view(arguments[1]) == "backend") {
    run_backend(line);
  } else {
    run_clients(line);
  }
}
