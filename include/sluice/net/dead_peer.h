// Finds a peer that is gone without a word, by looking: bytes were sent to it (or its zero window
// was probed) and for the whole timeout nothing at all was acknowledged. A reader that is merely
// slow acknowledges, with an open window or a closed one, and is left alone; the kernel's
// TCP_USER_TIMEOUT would end it.
//
// The kernel says when the last acknowledgement came (tcpi_last_ack_recv), but not since when bytes
// have been outstanding: a connection idle for an hour that has just sent looks an hour silent. So
// the watch remembers the first look that found something outstanding and counts from there, which
// finds the peer at most one look late and never early. Of a peer whose window was closed when it
// went nothing is known but by the kernel's probes, which come ever more seldom: two must be
// unanswered.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "sluice/base/time.h"

namespace sluice {

class DeadPeerWatch {
 public:
  enum class Verdict : uint8_t {
    settled,      // everything sent was acknowledged: no need to look before more is sent
    outstanding,  // look again after look_interval()
    dead,
  };

  // Looks at a TCP socket.
  Verdict look(int fd, TimePoint now, Duration timeout);

  static constexpr Duration look_interval(Duration timeout) {
    return std::clamp<Duration>(timeout / 8, std::chrono::milliseconds(100),
                                std::chrono::seconds(1));
  }

 private:
  TimePoint outstanding_since_{};  // epoch: nothing outstanding at the last look
};

}  // namespace sluice
