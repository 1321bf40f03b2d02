// The single-threaded epoll loop of a load program, and the few words it exchanges with whoever
// started it: `mark` and `report` come in on stdin, the end of stdin ends the program, so a backend
// or a client never outlives the benchmark that started it.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "load_stats.h"

namespace sluice::bench {

// One descriptor of a loop. May delete itself, and only itself, in on_ready().
class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  virtual ~Target() = default;
  virtual void on_ready(uint32_t events) = 0;
};

class Loop {
 public:
  explicit Loop(Stats& stats);

  void add(int fd, uint32_t events, Target& target);
  void modify(int fd, uint32_t events, Target& target);
  // Until stdin ends or stop() is called.
  void run();
  void stop() { is_running_ = false; }

 private:
  void control(int operation, int fd, uint32_t events, Target* target);
  void read_commands();
  void obey(std::string_view command);

  const int epoll_;
  Stats& stats_;
  std::string commands_;
  bool is_running_ = true;
};

// One line to whoever started the program, at once.
void say(std::string_view line);
// A load that met an error measured something else than it says: it ends, loudly.
[[noreturn]] void fail(std::string_view what, int error);

}  // namespace sluice::bench
