// The clients in front of the proxy: a fixed number of connections, each a closed loop, or all
// together on a schedule. An error on any of them ends the program: a load with errors measures
// something else than it says.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "load_loop.h"
#include "load_schedule.h"

namespace sluice::bench {

enum class ClientMode : uint8_t {
  ping_pong,  // a request, its reply, the next request
  reconnect,  // connect, a request, its reply, close; and again
  idle,       // connect, a request, its reply, then silence
  receive,    // connect and read without end
  send,       // connect and write without end
  both,       // connect, read and write without end
  demand,     // ask a mixed backend for bulk and read without end
  fetch,      // connect, read `bytes` or somewhat more, close; one unit
  stall,      // ask a mixed backend for bulk and read nothing
};

struct ClientOptions {
  ClientMode mode = ClientMode::ping_pong;
  sockaddr_in target{};
  size_t connections = 1;
  size_t bytes = 64;                  // of a request and of its reply
  std::optional<uint64_t> units_max;  // stop after that many; forever when not given
  std::optional<uint64_t> rate;       // requests a second over all connections; else closed loops
};

class Clients;

// One connection.
class Client : public Target {
 public:
  explicit Client(Clients& all) : all_(all) {}
  ~Client() override { close(); }

  virtual void begin() { open(); }
  // All connections have done their first work.
  virtual void go_on() {}

 protected:
  virtual uint32_t interest() const = 0;

  void open();
  void close();
  bool has_worked() const { return has_worked_; }
  void note_work();
  // What a read or write that moved nothing means: wait, or the end of this measurement.
  static void expect_would_block(ssize_t result);

  Clients& all_;
  int fd_ = -1;

 private:
  bool has_worked_ = false;
};

class Clients {
 public:
  Clients(Loop& loop, Stats& stats, const ClientOptions& options);

  const ClientOptions& options() const { return options_; }
  Loop& loop() { return loop_; }
  Stats& stats() { return stats_; }
  // Null for closed loops.
  Schedule* schedule() { return schedule_.get(); }

  // A connection did its first work. When all have, says `ready` and lets them go on.
  void note_first_work();
  // True when one more unit may be begun; stops the loop when the last one has ended.
  bool begin_unit();
  void end_unit(uint64_t took_ns);

 private:
  void open_more();

  Loop& loop_;
  Stats& stats_;
  const ClientOptions options_;
  uint64_t begun_ = 0;
  uint64_t ended_ = 0;
  size_t working_ = 0;
  std::unique_ptr<Schedule> schedule_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace sluice::bench
