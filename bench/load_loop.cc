#include "load_loop.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sluice::bench {

void say(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void fail(std::string_view what, int error) {
  std::fprintf(stderr, "bench-load: %.*s%s%s\n", static_cast<int>(what.size()), what.data(),
               error != 0 ? ": " : "", error != 0 ? std::strerror(error) : "");
  std::exit(3);
}

Loop::Loop(Stats& stats) : epoll_(epoll_create1(EPOLL_CLOEXEC)), stats_(stats) {
  control(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, nullptr);
}

void Loop::add(int fd, uint32_t events, Target& target) {
  control(EPOLL_CTL_ADD, fd, events, &target);
}

void Loop::modify(int fd, uint32_t events, Target& target) {
  control(EPOLL_CTL_MOD, fd, events, &target);
}

void Loop::control(int operation, int fd, uint32_t events, Target* target) {
  epoll_event event{.events = events, .data = {.ptr = target}};
  if (epoll_ctl(epoll_, operation, fd, &event) != 0) fail("cannot watch a descriptor", errno);
}

void Loop::run() {
  std::array<epoll_event, 256> events;
  while (is_running_) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    if (count < 0 && errno != EINTR) fail("epoll_wait", errno);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      if (event.data.ptr == nullptr) {
        read_commands();
      } else {
        static_cast<Target*>(event.data.ptr)->on_ready(event.events);
      }
    }
  }
}

void Loop::read_commands() {
  std::array<char, 256> buffer;
  const ssize_t bytes = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  if (bytes <= 0) {
    stop();
    return;
  }
  commands_.append(buffer.data(), static_cast<size_t>(bytes));
  for (size_t end = commands_.find('\n'); end != std::string::npos; end = commands_.find('\n')) {
    obey(std::string_view(commands_).substr(0, end));
    commands_.erase(0, end + 1);
  }
}

void Loop::obey(std::string_view command) {
  if (command == "mark") {
    stats_.mark();
    say("marked");
  } else if (command == "report") {
    say(stats_.report());
  } else {
    fail("knows only mark and report", 0);
  }
}

}  // namespace sluice::bench
