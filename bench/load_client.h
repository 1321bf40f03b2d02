// The clients in front of the proxy: a fixed number of connections, each a closed loop. An error on
// any of them ends the program: a load with errors measures something else than it says.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "load_loop.h"

namespace sluice::bench {

enum class ClientMode : uint8_t {
  ping_pong,  // a request, its reply, the next request
  reconnect,  // connect, a request, its reply, close; and again
  idle,       // connect, a request, its reply, then silence
  receive,    // connect and read without end
  send,       // connect and write without end
};

struct ClientOptions {
  ClientMode mode = ClientMode::ping_pong;
  sockaddr_in target{};
  size_t connections = 1;
  size_t bytes = 64;                  // of a request and of its reply
  std::optional<uint64_t> units_max;  // stop after that many; forever when not given
};

class Client;

class Clients {
 public:
  Clients(Loop& loop, Stats& stats, const ClientOptions& options);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  const ClientOptions& options() const { return options_; }
  Loop& loop() { return loop_; }
  Stats& stats() { return stats_; }

  // A connection did its first work. Says `ready` when all have.
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
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace sluice::bench
