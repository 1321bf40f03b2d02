#include "sluice/control/demo.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "demo_backend.h"
#include "demo_config.h"
#include "sluice/base/log.h"
#include "sluice/config/reader.h"
#include "sluice/config/report.h"
#include "sluice/control/descriptors.h"
#include "sluice/control/server.h"
#include "sluice/net/socket_address.h"

namespace sluice {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kAskEvery = std::chrono::milliseconds(20);
// A client that connects in the very moment in which the listening socket is closed may, on Linux,
// be left connected to nobody.
constexpr timeval kPatience{.tv_sec = 2, .tv_usec = 0};

// Prints lines with the time since the demo's start. Any thread.
class Narrator {
 public:
  void say(const std::string& line) {
    const std::scoped_lock lock(mutex_);
    const std::chrono::duration<double> since = Clock::now() - began_;
    std::puts(fmt::format("[{:5.1f}s] {}", since.count(), line).c_str());
    std::fflush(stdout);
  }

 private:
  std::mutex mutex_;
  const Clock::time_point began_ = Clock::now();
};

// A thread's permission to go on, and its wait between two steps.
class Pace {
 public:
  // False when the end was called for before `time`.
  bool wait_until(Clock::time_point time) {
    std::unique_lock lock(mutex_);
    return !ended_.wait_until(lock, time, [this] { return has_ended_; });
  }
  void end() {
    {
      const std::scoped_lock lock(mutex_);
      has_ended_ = true;
    }
    ended_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;
};

// Connects, reads who answered, and hangs up. Empty when nobody did.
std::string ask(const Address& server) {
  const SocketAddress where(server);
  const UniqueFd fd(::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (::connect(fd.get(), where.data(), where.size()) != 0) return {};
  std::string answer;
  std::array<char, 64> chunk{};
  while (true) {
    const ssize_t bytes = ::recv(fd.get(), chunk.data(), chunk.size(), 0);
    if (bytes <= 0) break;
    answer.append(chunk.data(), static_cast<size_t>(bytes));
  }
  return answer.substr(0, answer.find('\n'));
}

// Asks again and again and tells once a second who answered.
void ask_until_the_end(const Address& server, Pace& pace, Narrator& narrator) {
  std::map<std::string, int> answers;
  auto next_report = Clock::now() + std::chrono::seconds(1);
  for (auto next = Clock::now(); pace.wait_until(next); next += kAskEvery) {
    const std::string who = ask(server);
    ++answers[who.empty() ? "no answer" : who];
    if (Clock::now() < next_report) continue;
    std::string line = "answers in the last second:";
    for (const auto& [name, count] : answers) line += fmt::format("  {} {}", name, count);
    narrator.say(line);
    answers.clear();
    next_report += std::chrono::seconds(1);
  }
}

// Kills one backend after a fifth of the time and brings it back after a half.
void play(DemoBackend& victim, std::chrono::seconds duration, Pace& pace, Narrator& narrator) {
  const auto began = Clock::now();
  if (pace.wait_until(began + duration / 5)) {
    victim.die();
    narrator.say(fmt::format("backend {} dies: its port now refuses connections", victim.name()));
  }
  if (pace.wait_until(began + duration / 2)) {
    victim.come_back();
    narrator.say(fmt::format("backend {} is back", victim.name()));
  }
  pace.wait_until(began + duration);
}

std::vector<std::unique_ptr<DemoBackend>> start_backends() {
  std::vector<std::unique_ptr<DemoBackend>> backends;
  for (const char* name : {"anna", "bert", "cleo"}) {
    backends.push_back(std::make_unique<DemoBackend>(name));
  }
  return backends;
}

// conf/demo.yaml as it is, but for the addresses: free ports instead of fixed ones, and the admin
// side.
std::optional<Config> demo_config(const std::vector<std::unique_ptr<DemoBackend>>& backends) {
  std::vector<Override> overrides{{"listeners.demo.address", "127.0.0.1:0"},
                                  {"admin.address", "127.0.0.1:0"}};
  for (const auto& backend : backends) {
    overrides.push_back({fmt::format("clusters.demo.backends.{}.address", backend->name()),
                         backend->address().to_string()});
  }
  const ReadResult result = read_config(
      kDemoConfig, [](std::string_view) { return std::nullopt; }, overrides);
  if (!result.config) {
    std::fputs(render_problems("demo.yaml", kDemoConfig, result.problems).c_str(), stderr);
  }
  return result.config;
}

std::string describe(const Transition& transition) {
  std::string line =
      fmt::format("{} of {}: {} -> {} ({})", name(transition.kind), transition.backend,
                  transition.from, transition.to, transition.why);
  if (transition.retry_at) {
    const std::chrono::duration<double> wait = *transition.retry_at - transition.at;
    line += fmt::format("; next trial in {:.1f}s", wait.count());
  }
  return line;
}

}  // namespace

int run_demo(const DemoOptions& options) {
  Narrator narrator;
  const auto backends = start_backends();
  const auto config = demo_config(backends);
  if (!config) return 1;
  for (const auto& backend : backends) {
    narrator.say(
        fmt::format("backend {} listens on {}", backend->name(), backend->address().to_string()));
  }

  Descriptors descriptors;
  auto errors = descriptors.open_log("stderr");
  if (!errors) return 3;
  Log log(std::move(*errors), {.level = LogLevel::error});
  Address front;
  ServerObserver observer;
  observer.on_transition = [&narrator](const Transition& change) {
    narrator.say(describe(change));
  };
  observer.on_listening = [&narrator, &front](const std::string& listener, const Address& address) {
    front = address;
    narrator.say(fmt::format("listener {} listens on {}; try: nc {} {}", listener,
                             address.to_string(), address.host_string(), address.port()));
  };
  observer.on_admin_listening = [&](const Address& address) {
    narrator.say(fmt::format("dashboard: http://{}/ for {} seconds; --seconds N for longer",
                             address.to_string(), options.duration.count()));
  };
  Server server(*config, log, descriptors, observer);
  if (const auto started = server.start(); !started) {
    std::fputs(fmt::format("sluice: {}\n", started.error().message).c_str(), stderr);
    return 3;
  }

  Pace pace;
  std::thread client([&] { ask_until_the_end(front, pace, narrator); });
  std::thread director([&] {
    play(*backends[1], options.duration, pace, narrator);
    server.drain();
  });
  server.run();
  pace.end();
  client.join();
  director.join();
  narrator.say("drained; the demo is over");
  return 0;
}

}  // namespace sluice
