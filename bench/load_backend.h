// The server behind the proxy: one listening socket, any number of connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "load_loop.h"

namespace sluice::bench {

enum class BackendMode : uint8_t {
  echo,    // sends back what it gets
  reply,   // for each full request of `bytes` one reply of `bytes`
  source,  // sends without end
  sink,    // reads and forgets
  both,    // source and sink at once
  mixed,   // source for a client that begins with kAskForBulk, reply for any other
};

// What a client's first byte says to a `mixed` backend; requests are zeros.
inline constexpr char kAskForBulk = 'B';

enum class Reach : uint8_t { one_address, every_address };

// Listens on 127.0.0.1, or on every address there is, and serves on `loop`.
class Backend final : public Target {
 public:
  Backend(Loop& loop, Stats& stats, BackendMode mode, size_t bytes, uint16_t port, Reach reach);
  ~Backend() override;

  void on_ready(uint32_t events) override;

 private:
  Loop& loop_;
  Stats& stats_;
  const BackendMode mode_;
  const size_t bytes_;
  int listener_ = -1;
};

}  // namespace sluice::bench
