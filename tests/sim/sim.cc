// Runs the world for a number of steps: sim [--seed N] [--steps N] [--verbose]. A violated
// invariant ends it with status 1, and the seed to see it again.
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <random>
#include <string_view>

#include "world.h"

namespace sluice::sim {
namespace {

struct Arguments {
  uint64_t seed = std::random_device()();
  uint64_t steps = 1'000'000;
  bool is_verbose = false;
};

bool read_number(std::string_view text, uint64_t& number) {
  const char* end = text.data() + text.size();
  return std::from_chars(text.data(), end, number).ptr == end && !text.empty();
}

std::optional<Arguments> read_arguments(const std::vector<std::string_view>& words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view next = i + 1 < words.size() ? words[i + 1] : std::string_view();
    if (words[i] == "--verbose") {
      arguments.is_verbose = true;
    } else if (words[i] == "--seed" && read_number(next, arguments.seed)) {
      ++i;
    } else if (words[i] == "--steps" && read_number(next, arguments.steps)) {
      ++i;
    } else {
      return std::nullopt;
    }
  }
  return arguments;
}

int run(const Arguments& arguments) {
  fmt::print("seed {}\n", arguments.seed);
  std::fflush(stdout);
  World world({.seed = arguments.seed, .fault = Fault::none, .is_verbose = arguments.is_verbose});
  const TimePoint start = world.now();
  for (uint64_t step = 0; step < arguments.steps; ++step) {
    if (world.step()) continue;
    fmt::print("violated at step {}, {} ms: {}\nagain: --seed {}\n", step,
               to_ms(world.now().time_since_epoch()), *world.checker().violation(), arguments.seed);
    return 1;
  }
  fmt::print("{} steps, {} simulated minutes, {} sessions, {} trials, {} transitions: all held\n",
             arguments.steps, to_ms(world.now() - start) / 60'000, world.sessions(),
             world.checker().trials(), world.checker().transitions());
  return 0;
}

}  // namespace
}  // namespace sluice::sim

int main(int argc, char** argv) {
  const auto arguments = sluice::sim::read_arguments({argv + 1, argv + argc});
  if (!arguments) {
    fmt::print(stderr, "usage: sim [--seed N] [--steps N] [--verbose]\n");
    return 2;
  }
  return sluice::sim::run(*arguments);
}
