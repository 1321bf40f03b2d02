// A half pump between two real sockets, driven by a real poller:
//
//   writer (the test) ==> source  [pump]  sink ==> reader (the test)
#pragma once

#include <gtest/gtest.h>
#include <sys/epoll.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "open_files.h"
#include "sluice/net/half_pump.h"
#include "sluice/net/loop.h"
#include "sluice/net/pipe_pool.h"
#include "sluice/net/poller.h"
#include "sockets.h"
#include "waiting.h"

namespace sluice {

inline constexpr size_t kKiB = 1024;
inline constexpr size_t kMiB = 1024 * kKiB;
inline constexpr BufferSizes kTiny{.send = 2048, .receive = 2048};

class PumpRig final : public PollTarget {
 public:
  struct Setup {
    Transport source = Transport::tcp;
    Transport sink = Transport::tcp;
    BufferSizes source_buffers;
    BufferSizes sink_buffers;
    BufferSizes reader_buffers;
    size_t pipes_max = 4;
    bool may_splice = true;
    // A guard to remove: what a side announced is not remembered.
    bool forgets_hangups = false;
  };

  PumpRig() : PumpRig(Setup{}) {}
  explicit PumpRig(const Setup& setup) : setup_(setup), pipes(setup.pipes_max) {
    resources.may_splice = setup.may_splice;
    SocketPair in = connected_pair(setup.source, {}, setup.source_buffers);
    writer = std::move(in.near);
    source.fd = std::move(in.far);
    source.is_unix = setup.source == Transport::unix_domain;
    SocketPair out = connected_pair(setup.sink, setup.sink_buffers, setup.reader_buffers);
    sink.fd = std::move(out.near);
    reader = std::move(out.far);
  }
  ~PumpRig() override { pump.abandon(pipes); }

  // From here on events come in; what happened before is one event.
  void watch() {
    ASSERT_TRUE(poller.add(source.fd.get(), *this, kSource));
    ASSERT_TRUE(poller.add(sink.fd.get(), *this, kSink));
  }

  void on_ready(unsigned tag, Readiness readiness) override {
    if (setup_.forgets_hangups) readiness.events &= ~(EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    (tag == kSource ? source : sink).take_in(readiness);
    step();
  }

  void step() {
    is_out_of_turn = pump.step(source, sink, resources) == HalfPump::Progress::out_of_turn;
    turns_out_of += is_out_of_turn ? 1 : 0;
    in_flight_max = std::max(in_flight_max, pump.bytes_in_flight());
  }

  // One round of the loop, and the next turn of a pump that had used its share up.
  void turn() {
    run_once(loop);
    if (is_out_of_turn) step();
  }

  // Hands `bytes` to the writer as it takes them and reads what arrives, until everything has.
  std::string carry(std::string_view bytes) {
    std::string arrived;
    const size_t wanted = bytes.size();
    run_until(loop, [&] {
      bytes.remove_prefix(send_some(writer, bytes));
      turn();
      receive_some(reader, arrived);
      return arrived.size() >= wanted;
    });
    return arrived;
  }

  // Reads at the far end until the pump is done and `size` bytes have come.
  std::string drain(size_t size) {
    std::string arrived;
    run_until(loop, [&] {
      turn();
      receive_some(reader, arrived);
      return pump.is_done() && arrived.size() >= size;
    });
    return arrived;
  }

  // Enough full reads in a row for the pump to take to splicing.
  void make_bulk() { carry(pattern(2 * 1024 * 1024, 99)); }

  static constexpr unsigned kSource = 0, kSink = 1;

 private:
  const Setup setup_;

 public:
  Loop loop;
  Poller poller{loop};
  UniqueFd writer;
  UniqueFd reader;
  Endpoint source;
  Endpoint sink;
  PipePool pipes;
  std::unique_ptr<ScratchBuffer> scratch = std::make_unique<ScratchBuffer>();
  PumpResources resources{.scratch = scratch->bytes, .pipes = pipes, .may_splice = true};
  HalfPump pump;
  bool is_out_of_turn = false;
  size_t turns_out_of = 0;
  size_t in_flight_max = 0;
};

}  // namespace sluice
