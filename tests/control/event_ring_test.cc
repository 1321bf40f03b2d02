// Numbered events for readers that come, go and come back.
#include "admin/event_ring.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

std::string event(int number) {
  return "id: e-" + std::to_string(number) +
         "\nevent: transition\ndata: " + std::to_string(number) + "\n\n";
}

EventRing ring_of(int count) {
  EventRing ring("e");
  for (int i = 1; i <= count; ++i) ring.add(std::to_string(i));
  return ring;
}

TEST(event_ring, a_new_reader_hears_what_comes_from_now_on) {
  EventRing ring = ring_of(2);
  uint64_t position = ring.position_after(std::nullopt);
  EXPECT_EQ(
      ring.greeting(position, "1.2"),
      "retry: 1000\nid: e-2\nevent: hello\ndata: {\"version\":\"1.2\",\"newest\":\"e-2\"}\n\n");
  EXPECT_EQ(ring.read(position), "");
  ring.add("3");
  EXPECT_EQ(ring.read(position), event(3));
  EXPECT_EQ(ring.read(position), "");
  EXPECT_EQ(ring.last_id(), "e-3");
}

TEST(event_ring, who_comes_back_goes_on_after_the_last_one_it_has_seen) {
  const EventRing ring = ring_of(5);
  uint64_t position = ring.position_after("e-3");
  EXPECT_EQ(ring.read(position), event(4) + event(5));
  position = ring.position_after("e-5");
  EXPECT_EQ(ring.read(position), "");
  position = ring.position_after("e-0");
  EXPECT_EQ(ring.read(position), event(1) + event(2) + event(3) + event(4) + event(5));
}

TEST(event_ring, an_id_of_another_process_or_of_nobody_begins_at_the_beginning) {
  const EventRing ring = ring_of(2);
  for (const std::string_view id : {"f-2", "2", "", "e-", "e-x", "e-99", "e--1", "e-1x"}) {
    uint64_t position = ring.position_after(id);
    EXPECT_EQ(ring.read(position), event(1) + event(2)) << id;
  }
}

TEST(event_ring, who_was_too_slow_is_told_how_many_it_has_missed) {
  EventRing ring("e");
  uint64_t position = ring.position_after(std::nullopt);
  const int count = static_cast<int>(EventRing::kEventsMax) + 7;
  for (int i = 1; i <= count; ++i) ring.add(std::to_string(i));
  std::string all;
  for (std::string piece = ring.read(position); !piece.empty(); piece = ring.read(position)) {
    EXPECT_LE(piece.size(), EventRing::kPieceBytes + 200);
    all += piece;
  }
  EXPECT_TRUE(all.starts_with("event: missed\ndata: {\"missed\":7}\n\n" + event(8)));
  EXPECT_TRUE(all.ends_with(event(count)));
}

}  // namespace
}  // namespace sluice
