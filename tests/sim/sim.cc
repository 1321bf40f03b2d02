// Runs seeded worlds: one for many steps (sim [--seed N] [--steps N] [--verbose]), or many for a
// few (sim --seeds N [--first N] [--steps N] [--jobs N]). A violated invariant ends it with status
// 1, and what to call to see it again; with --minimise, after a search for the smallest world that
// violates it (--backends N, --workers N, --without FEATURE).
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <random>
#include <string_view>
#include <thread>

#include "minimise.h"
#include "world.h"

namespace sluice::sim {
namespace {

struct Arguments {
  uint64_t seed = std::random_device()();
  uint64_t steps = 1'000'000;
  uint64_t seeds = 0;  // 0: one world, of `seed`
  uint64_t first = 1;
  uint64_t jobs = std::max(1U, std::thread::hardware_concurrency());
  bool is_minimised = false;
  World::Options options;
};

constexpr size_t kWorkersMax = 64;

bool leave_out(std::string_view feature, World::Options& options) {
  const auto found = std::find(kFeatureNames.begin(), kFeatureNames.end(), feature);
  if (found == kFeatureNames.end()) return false;
  options.is_without[static_cast<size_t>(found - kFeatureNames.begin())] = true;
  return true;
}

bool read_number(std::string_view text, uint64_t& number) {
  const char* end = text.data() + text.size();
  return std::from_chars(text.data(), end, number).ptr == end && !text.empty();
}

std::optional<Arguments> read_arguments(const std::vector<std::string_view>& words) {
  Arguments arguments;
  const std::map<std::string_view, uint64_t*> numbers = {
      {"--seed", &arguments.seed},
      {"--steps", &arguments.steps},
      {"--seeds", &arguments.seeds},
      {"--first", &arguments.first},
      {"--jobs", &arguments.jobs},
      {"--backends", &arguments.options.backends},
      {"--workers", &arguments.options.workers}};
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--verbose") {
      arguments.options.is_verbose = true;
      continue;
    }
    if (words[i] == "--minimise") {
      arguments.is_minimised = true;
      continue;
    }
    if (words[i] == "--without" && i + 1 < words.size()) {
      if (!leave_out(words[++i], arguments.options)) return std::nullopt;
      continue;
    }
    const auto number = numbers.find(words[i]);
    const bool is_given = number != numbers.end() && i + 1 < words.size();
    if (!is_given || !read_number(words[++i], *number->second)) return std::nullopt;
  }
  const World::Options& options = arguments.options;
  const bool is_in_range = options.backends >= 1 && options.backends <= World::kBackendsMax &&
                           options.workers >= 1 && options.workers <= kWorkersMax;
  return is_in_range ? std::optional(arguments) : std::nullopt;
}

void print(const Violation& violation) {
  const World::Options& options = violation.options;
  const World::Options usual;
  fmt::print("violated at step {}, {} ms: {}\nagain: --seed {} --steps {}", violation.step,
             to_ms(violation.at.time_since_epoch()), violation.what, options.seed,
             violation.step + 1);
  if (options.backends != usual.backends) fmt::print(" --backends {}", options.backends);
  if (options.workers != usual.workers) fmt::print(" --workers {}", options.workers);
  for (size_t i = 0; i < kFeatureNames.size(); ++i) {
    if (options.is_without[i]) fmt::print(" --without {}", kFeatureNames[i]);
  }
  fmt::print("\n");
}

void report(Violation violation, const Arguments& arguments) {
  print(violation);
  std::fflush(stdout);
  if (!arguments.is_minimised) return;
  fmt::print("the smallest that still does it:\n");
  violation.options.is_verbose = false;
  print(minimise(std::move(violation)));
}

int run_one(const Arguments& arguments) {
  fmt::print("seed {}\n", arguments.seed);
  std::fflush(stdout);
  World::Options options = arguments.options;
  options.seed = arguments.seed;
  World world(options);
  const TimePoint start = world.now();
  for (uint64_t step = 0; step < arguments.steps; ++step) {
    if (world.step()) continue;
    report({options, step, world.now(), *world.checker().violation()}, arguments);
    return 1;
  }
  fmt::print("{} steps, {} simulated minutes, {} sessions, {} trials, {} transitions: all held\n",
             arguments.steps, to_ms(world.now() - start) / 60'000, world.sessions(),
             world.checker().trials(), world.checker().transitions());
  return 0;
}

// Worlds share nothing, so each thread takes the next seed; all stop at the first violation.
int run_many(const Arguments& arguments) {
  std::atomic<uint64_t> next{0};
  std::atomic<uint64_t> steps{0};
  std::atomic<bool> is_violated{false};
  std::mutex finding;
  std::optional<Violation> found;
  const auto run_some = [&] {
    for (uint64_t i = next++; i < arguments.seeds && !is_violated; i = next++) {
      const uint64_t seed = arguments.first + i;
      World::Options options = arguments.options;
      options.seed = seed;
      const auto violation = find_violation(options, arguments.steps);
      steps += violation ? violation->step : arguments.steps;
      if (!violation) continue;
      is_violated = true;
      const std::scoped_lock lock(finding);
      found = violation;
    }
  };
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (uint64_t job = 0; job < arguments.jobs; ++job) threads.emplace_back(run_some);
  for (std::thread& thread : threads) thread.join();
  if (found) {
    report(std::move(*found), arguments);
    return 1;
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  fmt::print("{} seeds from {}, {} steps in {:.1f} s: all held\n", arguments.seeds, arguments.first,
             steps.load(), taken.count());
  return 0;
}

}  // namespace
}  // namespace sluice::sim

int main(int argc, char** argv) {
  const auto arguments = sluice::sim::read_arguments({argv + 1, argv + argc});
  if (!arguments) {
    fmt::print(stderr,
               "usage: sim [--seed N] [--steps N] [--verbose]\n"
               "       sim --seeds N [--first N] [--steps N] [--jobs N]\n"
               "also: --minimise, --backends N, --workers N, --without FEATURE\n");
    return 2;
  }
  const auto run = arguments->seeds > 0 ? sluice::sim::run_many : sluice::sim::run_one;
  return run(*arguments);
}
