#include "sluice/net/poller.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "sluice/base/function_ref.h"
#include "sluice/net/mailbox.h"
#include "sockets.h"
#include "waiting.h"

namespace sluice {
namespace {

// Remembers what it was told.
struct Ear final : PollTarget {
  struct Event {
    unsigned tag;
    Readiness readiness;
  };
  void on_ready(unsigned tag, Readiness readiness) override { events.push_back({tag, readiness}); }
  // Whether anything told since the last call was so.
  bool heard(bool (Readiness::*claim)() const) {
    bool is_so = false;
    for (const Event& event : std::exchange(events, {})) is_so |= (event.readiness.*claim)();
    return is_so;
  }
  std::vector<Event> events;
};

class PollerTest : public testing::Test {
 protected:
  void run_rounds(int rounds) {
    for (int i = 0; i < rounds; ++i) run_once(loop);
  }
  bool hears(Ear& ear) {
    return run_until(loop, [&] { return !ear.events.empty(); });
  }

  Loop loop;
  Poller poller{loop};
};

TEST_F(PollerTest, tells_of_unread_data_once) {
  SocketPair pair = connected_pair(Transport::tcp);
  Ear ear;
  ASSERT_TRUE(poller.add(pair.near.get(), ear, 0));
  ASSERT_TRUE(hears(ear));
  EXPECT_TRUE(ear.heard(&Readiness::is_writable));
  send_some(pair.far, "a");
  ASSERT_TRUE(hears(ear));
  EXPECT_TRUE(ear.heard(&Readiness::is_readable));
  run_rounds(20);
  EXPECT_TRUE(ear.events.empty()) << "the byte is still there, but was told of";
  send_some(pair.far, "b");
  ASSERT_TRUE(hears(ear));
  EXPECT_TRUE(ear.heard(&Readiness::is_readable));
}

TEST_F(PollerTest, data_and_end_before_the_wait_are_one_event) {
  SocketPair pair = connected_pair(Transport::tcp);
  send_some(pair.far, "a");
  end_stream(pair.far);
  Ear ear;
  ASSERT_TRUE(poller.add(pair.near.get(), ear, 0));
  ASSERT_TRUE(hears(ear));
  run_rounds(20);
  ASSERT_EQ(ear.events.size(), 1U);
  EXPECT_TRUE(ear.events[0].readiness.is_readable());
  EXPECT_TRUE(ear.events[0].readiness.has_hangup());
  EXPECT_FALSE(ear.events[0].readiness.has_error());
}

TEST_F(PollerTest, tag_says_which_of_the_targets_sockets_it_is) {
  SocketPair first = connected_pair(Transport::tcp);
  SocketPair second = connected_pair(Transport::unix_domain);
  Ear ear;
  ASSERT_TRUE(poller.add(first.near.get(), ear, 0));
  ASSERT_TRUE(poller.add(second.near.get(), ear, 1));
  ASSERT_TRUE(run_until(loop, [&] { return ear.events.size() >= 2; }));
  run_rounds(5);
  ear.events.clear();
  send_some(second.far, "x");
  ASSERT_TRUE(hears(ear));
  ASSERT_EQ(ear.events.size(), 1U);
  EXPECT_EQ(ear.events[0].tag, 1U);
  ear.events.clear();
  send_some(first.far, "x");
  ASSERT_TRUE(hears(ear));
  ASSERT_EQ(ear.events.size(), 1U);
  EXPECT_EQ(ear.events[0].tag, 0U);
}

TEST_F(PollerTest, error_is_told_as_one_and_the_watch_goes_on) {
  SocketPair broken = connected_pair(Transport::tcp);
  SocketPair other = connected_pair(Transport::tcp);
  Ear ear, other_ear;
  ASSERT_TRUE(poller.add(broken.near.get(), ear, 0));
  ASSERT_TRUE(poller.add(other.near.get(), other_ear, 0));
  ASSERT_TRUE(hears(ear));
  ASSERT_TRUE(hears(other_ear));
  ear.events.clear();
  other_ear.events.clear();
  reset_connection(std::move(broken.far));
  ASSERT_TRUE(hears(ear));
  EXPECT_TRUE(ear.events[0].readiness.has_error());
  EXPECT_TRUE(ear.events[0].readiness.has_hangup());
  EXPECT_TRUE(ear.events[0].readiness.is_readable());
  send_some(other.far, "x");
  EXPECT_TRUE(hears(other_ear));
}

TEST_F(PollerTest, urgent_byte_is_announced) {
  SocketPair pair = connected_pair(Transport::tcp);
  Ear ear;
  ASSERT_TRUE(poller.add(pair.near.get(), ear, 0));
  ASSERT_TRUE(hears(ear));
  EXPECT_FALSE(ear.heard(&Readiness::has_urgent));
  ASSERT_EQ(::send(pair.far.get(), "!", 1, MSG_OOB), 1);
  ASSERT_TRUE(hears(ear));
  EXPECT_TRUE(ear.heard(&Readiness::has_urgent));
}

TEST_F(PollerTest, closing_a_socket_ends_its_watch) {
  SocketPair pair = connected_pair(Transport::tcp);
  Ear ear;
  ASSERT_TRUE(poller.add(pair.near.get(), ear, 0));
  ASSERT_TRUE(hears(ear));
  ear.events.clear();
  send_some(pair.far, "x");
  pair.near.reset();
  run_rounds(20);
  EXPECT_TRUE(ear.events.empty());
}

TEST_F(PollerTest, room_for_more_is_told_when_a_full_socket_empties) {
  SocketPair pair = connected_pair(Transport::tcp, {.send = 4096}, {.receive = 4096});
  Ear ear;
  ASSERT_TRUE(poller.add(pair.near.get(), ear, 0));
  ASSERT_TRUE(hears(ear));
  const std::string bytes = pattern(1 << 20);
  ASSERT_LT(send_some(pair.near, bytes), bytes.size());
  run_rounds(20);
  ear.events.clear();
  std::string arrived;
  EXPECT_TRUE(run_until(loop, [&] {
    receive_some(pair.far, arrived);
    return ear.heard(&Readiness::is_writable);
  }));
}

TEST_F(PollerTest, more_sockets_than_a_wait_holds_are_all_told_of) {
  constexpr size_t kPairs = 400;
  std::vector<SocketPair> pairs;
  std::vector<std::unique_ptr<Ear>> ears;
  for (size_t i = 0; i < kPairs; ++i) {
    pairs.push_back(connected_pair(Transport::unix_domain));
    ears.push_back(std::make_unique<Ear>());
    ASSERT_TRUE(poller.add(pairs.back().near.get(), *ears.back(), 0));
  }
  for (const auto& ear : ears) ASSERT_TRUE(hears(*ear));
}

TEST_F(PollerTest, listener_is_told_of_until_its_queue_is_empty) {
  const UniqueFd listening = listen_on(loopback());
  Ear ear;
  ASSERT_TRUE(poller.add_listener(listening.get(), ear, Poller::Sharing::exclusive));
  run_rounds(5);
  EXPECT_TRUE(ear.events.empty());
  const UniqueFd client = connect_to(address_of(listening));
  ASSERT_TRUE(hears(ear));
  ear.events.clear();
  EXPECT_TRUE(hears(ear)) << "again, while nobody accepts";
  const UniqueFd accepted = accept_from(listening);
  run_rounds(5);
  ear.events.clear();
  run_rounds(20);
  EXPECT_TRUE(ear.events.empty());
}

TEST_F(PollerTest, removed_listener_is_left_alone_and_can_come_back) {
  const UniqueFd listening = listen_on(loopback());
  Ear ear;
  ASSERT_TRUE(poller.add_listener(listening.get(), ear, Poller::Sharing::sole));
  const UniqueFd client = connect_to(address_of(listening));
  poller.remove(listening.get());
  run_rounds(20);
  EXPECT_TRUE(ear.events.empty());
  ASSERT_TRUE(poller.add_listener(listening.get(), ear, Poller::Sharing::sole));
  EXPECT_TRUE(hears(ear));
}

TEST_F(PollerTest, bad_descriptor_is_an_error) {
  Ear ear;
  const auto result = poller.add(-1, ear, 0);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().system_error, EBADF);
}

// The poller waits, and the loop is one of the things it waits for.
class PollerAroundLoopTest : public testing::Test {
 protected:
  bool turns_until(FunctionRef<bool()> is_true) {
    bool is_late = false;
    Timer patience(loop, [&] { is_late = true; });
    patience.start(std::chrono::seconds(10));
    while (!is_true() && !is_late) poller.run_turn(true);
    return !is_late;
  }

  Loop loop;
  Poller poller{loop, Poller::Nesting::around_loop};
  Mailbox mailbox{loop};
};

TEST_F(PollerAroundLoopTest, tells_of_sockets_while_the_loop_has_nothing_to_do) {
  SocketPair pair = connected_pair(Transport::tcp);
  Ear ear;
  ASSERT_TRUE(poller.add(pair.near.get(), ear, 1));
  poller.run_turn(true);
  ASSERT_TRUE(ear.heard(&Readiness::is_writable));
  poller.run_turn(false);
  EXPECT_TRUE(ear.events.empty()) << "told of twice";
  send_some(pair.far, "a");
  ASSERT_TRUE(turns_until([&] { return !ear.events.empty(); }));
  EXPECT_EQ(ear.events[0].tag, 1U);
  EXPECT_TRUE(ear.heard(&Readiness::is_readable));
}

TEST_F(PollerAroundLoopTest, timer_is_on_time_by_the_clock_that_stands_still_in_a_turn) {
  const TimePoint start = loop.now();
  TimePoint rang_at{};
  Timer timer(loop, [&] { rang_at = loop.now(); });
  timer.start(std::chrono::milliseconds(30));
  ASSERT_TRUE(turns_until([&] { return rang_at != TimePoint{}; }));
  EXPECT_GE(rang_at - start, std::chrono::milliseconds(30));
}

TEST_F(PollerAroundLoopTest, task_from_another_thread_wakes_it) {
  bool has_run = false;
  poller.run_turn(false);
  std::jthread other([&] { mailbox.post([&] { has_run = true; }); });
  EXPECT_TRUE(turns_until([&] { return has_run; }));
}

TEST_F(PollerAroundLoopTest, handle_started_between_turns_is_watched) {
  SocketPair pair = connected_pair(Transport::tcp);
  poller.run_turn(false);
  bool is_readable = false;
  Handle<uv_poll_t> watch(&is_readable);
  uv_poll_init(loop.raw(), watch.raw(), pair.near.get());
  uv_poll_start(watch.raw(), UV_READABLE,
                [](uv_poll_t* poll, int, int) { *static_cast<bool*>(poll->data) = true; });
  poller.run_turn(false);
  EXPECT_FALSE(is_readable);
  send_some(pair.far, "a");
  EXPECT_TRUE(turns_until([&] { return is_readable; }));
}

}  // namespace
}  // namespace sluice
