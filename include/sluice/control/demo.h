// `sluice demo`: the real server in front of three embedded backends on free loopback ports, with
// the dashboard, a client that keeps asking, and a backend that dies and comes back. Every line it
// prints comes from something that happened: an answer counted, a transition of the server's.
#pragma once

#include <chrono>

namespace sluice {

struct DemoOptions {
  std::chrono::seconds duration{20};
};

// Blocks until the time is up or SIGINT or SIGTERM. Returns the exit status.
int run_demo(const DemoOptions& options);

}  // namespace sluice
