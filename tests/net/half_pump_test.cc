#include "sluice/net/half_pump.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "pump_rig.h"

namespace sluice {
namespace {

struct Path {
  Transport source;
  Transport sink;
  bool has_tiny_buffers;
  bool may_splice;
};

std::string name_of(const testing::TestParamInfo<Path>& info) {
  const auto name = [](Transport t) { return t == Transport::tcp ? "Tcp" : "Unix"; };
  return std::string(name(info.param.source)) + "To" + name(info.param.sink) +
         (info.param.has_tiny_buffers ? "Tiny" : "Usual") +
         (info.param.may_splice ? "Splice" : "Copy");
}

std::vector<Path> all_paths() {
  std::vector<Path> paths;
  for (const auto source : {Transport::tcp, Transport::unix_domain}) {
    for (const auto sink : {Transport::tcp, Transport::unix_domain}) {
      for (const bool has_tiny_buffers : {false, true}) {
        for (const bool may_splice : {false, true}) {
          paths.push_back({source, sink, has_tiny_buffers, may_splice});
        }
      }
    }
  }
  return paths;
}

class HalfPumpPath : public testing::TestWithParam<Path> {
 protected:
  PumpRig::Setup setup() const {
    PumpRig::Setup setup;
    setup.source = GetParam().source;
    setup.sink = GetParam().sink;
    setup.may_splice = GetParam().may_splice;
    if (GetParam().has_tiny_buffers) {
      setup.source_buffers = setup.sink_buffers = setup.reader_buffers = kTiny;
    }
    return setup;
  }
};

TEST_P(HalfPumpPath, carries_bytes_unchanged_and_in_order_whatever_their_number) {
  PumpRig rig(setup());
  rig.watch();
  const size_t largest = GetParam().has_tiny_buffers ? 256 * kKiB : 4 * kMiB;
  uint64_t moved = 0;
  for (const size_t size : {size_t{1}, size_t{2}, size_t{1447}, size_t{4096}, 64 * kKiB - 1,
                            64 * kKiB, 64 * kKiB + 1, size_t{200'001}, largest}) {
    const std::string bytes = pattern(size, size);
    ASSERT_EQ(rig.carry(bytes), bytes) << size;
    moved += size;
    EXPECT_EQ(rig.pump.bytes_moved(), moved);
    EXPECT_EQ(rig.pump.bytes_in_flight(), 0U);
  }
  EXPECT_EQ(rig.pump.state(), HalfPump::State::flowing);
}

TEST_P(HalfPumpPath, end_of_stream_waits_for_the_bytes_in_flight) {
  PumpRig rig(setup());
  rig.watch();
  // Far more than the buffers between take, so that some stays with the pump.
  std::string sent;
  const std::string bytes = pattern(kMiB);
  ASSERT_TRUE(run_until(rig.loop, [&] {
    const size_t count = send_some(rig.writer, bytes);
    sent += bytes.substr(0, count);
    rig.turn();
    return rig.pump.bytes_in_flight() > 0 && count == 0;
  }));
  end_stream(rig.writer);
  for (int i = 0; i < 10; ++i) rig.turn();
  EXPECT_FALSE(rig.pump.is_done());
  EXPECT_GT(rig.pump.bytes_in_flight(), 0U);

  EXPECT_EQ(rig.drain(sent.size()), sent);
  EXPECT_TRUE(rig.pump.is_done());
  EXPECT_FALSE(rig.source.is_broken());
  EXPECT_FALSE(rig.sink.is_broken());
}

TEST_P(HalfPumpPath, data_and_end_in_one_event_are_both_seen) {
  PumpRig rig(setup());
  send_some(rig.writer, "last words");
  end_stream(rig.writer);
  rig.watch();
  EXPECT_EQ(rig.drain(10), "last words");
  EXPECT_TRUE(rig.pump.is_done());
}

TEST_P(HalfPumpPath, what_is_in_flight_is_bounded_when_nobody_reads) {
  PumpRig rig(setup());
  rig.watch();
  rig.make_bulk();
  const std::string bytes = pattern(kMiB);
  for (int idle_turns = 0; idle_turns < 20;) {
    idle_turns = send_some(rig.writer, bytes) == 0 ? idle_turns + 1 : 0;
    rig.turn();
  }
  EXPECT_GT(rig.in_flight_max, 0U);
  EXPECT_LE(rig.in_flight_max, kMiB);  // of one pipe; a copy keeps 64 KiB at most
  if (!GetParam().may_splice) {
    EXPECT_LE(rig.in_flight_max, HalfPump::kCopyBytesMax);
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, HalfPumpPath, testing::ValuesIn(all_paths()), name_of);

// The control for data_and_end_in_one_event: edge triggering tells of both but once.
TEST(HalfPump, would_hang_if_a_hang_up_were_forgotten) {
  PumpRig::Setup setup;
  setup.forgets_hangups = true;
  PumpRig rig(setup);
  send_some(rig.writer, "last words");
  end_stream(rig.writer);
  rig.watch();
  std::string arrived;
  run_until(rig.loop, [&] {
    rig.turn();
    receive_some(rig.reader, arrived);
    return arrived.size() == 10;
  });
  for (int i = 0; i < 100; ++i) rig.turn();
  EXPECT_EQ(arrived, "last words");
  EXPECT_FALSE(rig.pump.is_done());
}

TEST(HalfPump, short_write_keeps_the_rest_and_reads_no_more) {
  PumpRig::Setup setup;
  setup.sink_buffers = setup.reader_buffers = kTiny;
  PumpRig rig(setup);
  rig.watch();
  const std::string bytes = pattern(60 * kKiB);
  ASSERT_EQ(send_some(rig.writer, bytes), bytes.size());
  ASSERT_TRUE(run_until(rig.loop, [&] {
    rig.turn();
    return rig.pump.bytes_in_flight() > 0;
  }));
  EXPECT_LT(rig.pump.bytes_moved(), bytes.size());
  EXPECT_FALSE(rig.sink.is_writable);
  EXPECT_EQ(rig.pump.bytes_moved() + rig.pump.bytes_in_flight(), bytes.size());
  ASSERT_EQ(send_some(rig.writer, "more"), 4U);
  for (int i = 0; i < 10; ++i) rig.turn();
  EXPECT_LE(rig.pump.bytes_moved() + rig.pump.bytes_in_flight(), bytes.size());

  end_stream(rig.writer);
  EXPECT_EQ(rig.drain(bytes.size() + 4), bytes + "more");
}

struct Reset {
  bool is_bulk;
  bool came_in_one_event;
};

class HalfPumpReset : public testing::TestWithParam<Reset> {};

TEST_P(HalfPumpReset, bytes_before_a_reset_come_out_before_the_error) {
  PumpRig rig;
  if (GetParam().is_bulk) {
    rig.watch();
    rig.make_bulk();
    ASSERT_EQ(rig.pipes.pipes(), 1U);
  }
  const std::string bytes = pattern(50'000);
  ASSERT_EQ(send_some(rig.writer, bytes), bytes.size());
  if (!GetParam().came_in_one_event) run_once(rig.loop);
  reset_connection(std::move(rig.writer));
  if (!GetParam().is_bulk) rig.watch();
  EXPECT_EQ(rig.drain(bytes.size()), bytes);
  EXPECT_EQ(rig.source.error, ECONNRESET);
  EXPECT_TRUE(rig.pump.is_done());
  EXPECT_FALSE(rig.sink.is_broken());
}

INSTANTIATE_TEST_SUITE_P(Ways, HalfPumpReset,
                         testing::Values(Reset{false, false}, Reset{false, true},
                                         Reset{true, false}, Reset{true, true}),
                         [](const auto& instance) {
                           return std::string(instance.param.is_bulk ? "Splice" : "Copy") +
                                  (instance.param.came_in_one_event ? "OneEvent" : "TwoEvents");
                         });

TEST(HalfPump, broken_sink_takes_nothing_more_and_the_source_is_not_to_blame) {
  for (const bool is_bulk : {false, true}) {
    PumpRig::Setup setup;
    if (!is_bulk) setup.may_splice = false;
    PumpRig rig(setup);
    rig.watch();
    rig.make_bulk();
    const std::string bytes = pattern(kMiB);
    for (int idle_turns = 0; idle_turns < 20;) {
      idle_turns = send_some(rig.writer, bytes) == 0 ? idle_turns + 1 : 0;
      rig.turn();
    }
    ASSERT_GT(rig.pump.bytes_in_flight(), 0U);
    reset_connection(std::move(rig.reader));
    ASSERT_TRUE(run_until(rig.loop, [&] {
      rig.turn();
      return rig.pump.is_done();
    }));
    EXPECT_TRUE(rig.sink.is_broken());
    EXPECT_FALSE(rig.source.is_broken());
    EXPECT_EQ(rig.pump.bytes_in_flight(), 0U);
    EXPECT_EQ(rig.pipes.pipes(), 0U) << "a pipe with bytes in it must not go back to the pool";
  }
}

TEST(HalfPump, broken_sink_is_found_by_a_write_too) {
  PumpRig rig;
  rig.watch();
  rig.carry("hello");
  rig.sink.break_with(EPIPE);
  rig.step();
  EXPECT_TRUE(rig.pump.is_done());
}

TEST(HalfPump, nagle_is_switched_off_before_the_second_write_and_not_before_the_first) {
  for (const bool is_due : {true, false}) {
    PumpRig rig;
    const auto nodelay = [&] { return option_of(rig.sink.fd, IPPROTO_TCP, TCP_NODELAY); };
    const int off = 0;
    ::setsockopt(rig.sink.fd.get(), IPPROTO_TCP, TCP_NODELAY, &off, sizeof off);
    rig.sink.is_nodelay_due = is_due;
    rig.watch();
    EXPECT_EQ(rig.carry("first"), "first");
    rig.turn();
    EXPECT_EQ(nodelay(), 0);
    EXPECT_EQ(rig.carry("second"), "second");
    EXPECT_EQ(nodelay(), is_due ? 1 : 0);
  }
}

TEST(HalfPump, uses_no_more_than_its_share_of_a_turn) {
  PumpRig rig;
  // Room for several turns' worth on both sides, which an unprivileged user may not have.
  const int room = 8 * static_cast<int>(kMiB);
  const auto make_room = [&](const UniqueFd& fd, int option) {
    return ::setsockopt(fd.get(), SOL_SOCKET, option, &room, sizeof room) == 0;
  };
  if (!make_room(rig.source.fd, SO_RCVBUFFORCE) || !make_room(rig.writer, SO_SNDBUFFORCE) ||
      !make_room(rig.sink.fd, SO_SNDBUFFORCE) || !make_room(rig.reader, SO_RCVBUFFORCE)) {
    GTEST_SKIP() << "needs CAP_NET_ADMIN for large socket buffers";
  }
  const std::string bytes = pattern(3 * kMiB);
  ASSERT_EQ(send_some(rig.writer, bytes), bytes.size());
  rig.source.is_readable = rig.sink.is_writable = true;
  rig.step();
  EXPECT_TRUE(rig.is_out_of_turn);
  EXPECT_GE(rig.pump.bytes_moved(), HalfPump::kBytesPerTurnMax);
  EXPECT_LE(rig.pump.bytes_moved(), HalfPump::kBytesPerTurnMax + kMiB);
  // No event is needed to go on.
  std::string arrived;
  while (rig.is_out_of_turn) rig.step();
  rig.watch();
  ASSERT_TRUE(run_until(rig.loop, [&] {
    rig.turn();
    receive_some(rig.reader, arrived);
    return arrived.size() == bytes.size();
  }));
  EXPECT_EQ(arrived, bytes);
}

}  // namespace
}  // namespace sluice
