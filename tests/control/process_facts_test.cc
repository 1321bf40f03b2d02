// What the system says of a process, read right.
#include "metrics/process_facts.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

const std::string kFields =
    " S 1 2 3 0 -1 4194304 100 0 5 0 7 8 0 0 20 0 6 0 123456 104857600 2560 18446744073709551615";

TEST(ProcessFactsTest, fields_are_counted_behind_the_programs_name_whatever_is_in_it) {
  for (const std::string name : {"(sluice)", "(a) b)", "(x ) 9 9 9 (y))"}) {
    const auto stat = parse_process_stat("42 " + name + kFields);
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->threads, 6U);
    EXPECT_EQ(stat->start_ticks, 123'456U);
    EXPECT_EQ(stat->virtual_bytes, 104'857'600U);
    EXPECT_EQ(stat->resident_pages, 2560U);
  }
}

TEST(ProcessFactsTest, a_line_that_is_cut_off_is_none) {
  EXPECT_FALSE(parse_process_stat(""));
  EXPECT_FALSE(parse_process_stat("42 (sluice"));
  EXPECT_FALSE(parse_process_stat("42 (sluice) S 1 2"));
}

TEST(ProcessFactsTest, this_process_is_there_and_plausible) {
  const ProcessFacts facts = read_process_facts();
  EXPECT_GT(facts.cpu_seconds, 0);
  EXPECT_GT(facts.max_fds, 3U);
  EXPECT_GT(facts.resident_bytes, 1'000'000U);
  EXPECT_GT(facts.virtual_bytes, facts.resident_bytes);
  EXPECT_GE(facts.threads, 1U);
  EXPECT_GT(read_process_start(), 1'600'000'000);
}

}  // namespace
}  // namespace sluice
