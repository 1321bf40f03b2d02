#include "sluice/base/wall_time.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// 2026-01-31T12:00:00Z.
constexpr WallTime kNoon{seconds(1'769'860'800)};

TEST(wall_time, is_utc_with_three_digits_of_milliseconds) {
  EXPECT_EQ(format_rfc3339(kNoon), "2026-01-31T12:00:00.000Z");
  EXPECT_EQ(format_rfc3339(kNoon + milliseconds(7)), "2026-01-31T12:00:00.007Z");
  EXPECT_EQ(format_rfc3339(kNoon + nanoseconds(999'999'999)), "2026-01-31T12:00:00.999Z");
  EXPECT_EQ(format_rfc3339(WallTime(milliseconds(-1))), "1969-12-31T23:59:59.999Z");
}

TEST(wall_time, a_writer_of_many_moments_writes_each_as_it_is_alone) {
  Rfc3339Writer writer;
  for (const int64_t ms : {0, 1, 9, 10, 99, 100, 999, 1000, 1001, 500, -1, -999, -1000, -1001,
                           86'400'000, 86'400'123, 123}) {
    const WallTime time = kNoon + milliseconds(ms) + nanoseconds(999'999);
    EXPECT_EQ(writer.text(time), format_rfc3339(time)) << ms;
  }
}

TEST(wall_time, a_writer_begins_anywhere) {
  EXPECT_EQ(Rfc3339Writer().text(WallTime{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(Rfc3339Writer().text(kNoon + milliseconds(42)), "2026-01-31T12:00:00.042Z");
}

}  // namespace
}  // namespace sluice
