// Copy or splice: when a direction changes over, and what becomes of the pipe.
#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include "pump_rig.h"
#include "sluice/net/half_pump.h"

namespace sluice {
namespace {

TEST(HalfPump, bulk_is_promoted_to_a_pipe_and_calm_is_demoted) {
  PumpRig rig;
  rig.watch();
  const std::string small = pattern(1000);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(rig.carry(small), small);
  EXPECT_EQ(rig.pipes.pipes(), 0U) << "small messages never pay for a pipe";

  rig.make_bulk();
  ASSERT_EQ(rig.pipes.pipes(), 1U);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(rig.carry(small), small);
  // If it still spliced, it would make itself another pipe.
  rig.pipes.discard(rig.pipes.acquire());
  ASSERT_EQ(rig.pipes.pipes(), 0U);
  ASSERT_EQ(rig.carry(small), small);
  EXPECT_EQ(rig.pipes.pipes(), 0U);

  rig.make_bulk();
  EXPECT_EQ(rig.pipes.pipes(), 1U) << "and promoted again";
}

TEST(HalfPump, pipe_filled_by_slots_does_not_hang_the_tail) {
  PumpRig::Setup setup;
  setup.sink_buffers = setup.reader_buffers = kTiny;
  PumpRig rig(setup);
  rig.watch();
  rig.carry(pattern(512 * kKiB));
  // Many one-byte segments: each takes a slot of the pipe, so it is full with few bytes in it.
  std::string sent;
  std::string arrived;
  const std::string bytes = pattern(20'000);
  ASSERT_TRUE(run_until(rig.loop, [&] {
    for (int i = 0; i < 500 && sent.size() < bytes.size(); ++i) {
      if (send_some(rig.writer, bytes.substr(sent.size(), 1)) == 0) break;
      sent += bytes[sent.size()];
    }
    rig.turn();
    receive_some(rig.reader, arrived);
    return arrived.size() == bytes.size();
  })) << arrived.size();
  EXPECT_EQ(arrived, bytes);
}

TEST(HalfPump, pipe_goes_back_empty_and_is_not_held_while_nothing_moves) {
  PumpRig rig;
  rig.watch();
  rig.make_bulk();
  ASSERT_EQ(rig.pipes.pipes(), 1U);
  const auto pipe = rig.pipes.acquire();
  ASSERT_TRUE(pipe);
  EXPECT_EQ(rig.pipes.pipes(), 1U) << "it was idle in the pool, not held";
  int bytes = -1;
  ASSERT_EQ(::ioctl(pipe->read_end.get(), FIONREAD, &bytes), 0);
  EXPECT_EQ(bytes, 0);
}

TEST(HalfPump, without_a_pipe_bulk_is_copied) {
  PumpRig::Setup setup;
  setup.pipes_max = 0;
  PumpRig rig(setup);
  rig.watch();
  const std::string bytes = pattern(4 * kMiB);
  EXPECT_EQ(rig.carry(bytes), bytes);
  EXPECT_EQ(rig.pipes.pipes(), 0U);
}

TEST(HalfPump, copies_only_when_splicing_is_switched_off) {
  PumpRig::Setup setup;
  setup.may_splice = false;
  PumpRig rig(setup);
  rig.watch();
  rig.make_bulk();
  EXPECT_EQ(rig.pipes.pipes(), 0U);
}

TEST(HalfPump, splicing_can_be_switched_off_in_the_middle) {
  PumpRig rig;
  rig.watch();
  rig.make_bulk();
  ASSERT_EQ(rig.pipes.pipes(), 1U);
  rig.resources.may_splice = false;
  rig.pipes.discard(rig.pipes.acquire());
  const std::string bytes = pattern(4 * kMiB);
  EXPECT_EQ(rig.carry(bytes), bytes);
  EXPECT_EQ(rig.pipes.pipes(), 0U);
}

TEST(HalfPump, abandon_gives_up_the_pipe_with_what_is_in_it) {
  PumpRig rig;
  rig.watch();
  rig.make_bulk();
  const std::string bytes = pattern(kMiB);
  for (int idle_turns = 0; idle_turns < 20;) {
    idle_turns = send_some(rig.writer, bytes) == 0 ? idle_turns + 1 : 0;
    rig.turn();
  }
  ASSERT_GT(rig.pump.bytes_in_flight(), 0U);
  ASSERT_EQ(rig.pipes.pipes(), 1U);
  rig.pump.abandon(rig.pipes);
  EXPECT_EQ(rig.pump.bytes_in_flight(), 0U);
  EXPECT_EQ(rig.pipes.pipes(), 0U);
  EXPECT_TRUE(rig.pump.is_done());
}

}  // namespace
}  // namespace sluice
