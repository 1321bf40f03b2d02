#include "sluice/core/outlier_statistics.h"

#include "support.h"

namespace sluice {
namespace {

class OutlierStatisticsTest : public ::testing::Test {
 protected:
  OutlierStatisticsTest() {
    settings.is_enabled = true;
    settings.success_rate.is_enabled = true;
  }

  // The indices of those that stand out, the worst first.
  std::vector<size_t> outliers() {
    proposals = find_outliers(counts, settings);
    std::vector<size_t> indices;
    for (const OutlierProposal& proposal : proposals) indices.push_back(proposal.index);
    return indices;
  }

  using Indices = std::vector<size_t>;

  OutlierSettings settings;
  std::vector<OutcomeCounts> counts;
  std::vector<OutlierProposal> proposals;
};

TEST_F(OutlierStatisticsTest, backend_far_below_the_mean_stands_out_with_its_figures) {
  counts = {{100, 0}, {100, 0}, {41, 59}, {100, 0}, {100, 0}};
  EXPECT_EQ(outliers(), Indices{2});
  EXPECT_EQ(proposals.at(0).detector, Detector::success_rate);
  EXPECT_EQ(proposals.at(0).why, "success rate 41.0 % below 43.4 % (mean 88.2 %, 5 hosts)");
}

TEST_F(OutlierStatisticsTest, nobody_stands_out_while_all_are_equal) {
  for (const OutcomeCounts each : {OutcomeCounts{300, 0}, {0, 300}, {200, 100}, {100, 233}}) {
    counts.assign(7, each);
    EXPECT_EQ(outliers(), Indices{}) << each.successes;
    settings.success_rate.stdev_factor = 0;
    EXPECT_EQ(outliers(), Indices{}) << each.successes << ", no deviation allowed";
    settings.success_rate.stdev_factor = 1.9;
  }
}

TEST_F(OutlierStatisticsTest, one_host_too_few_compares_nobody) {
  settings.success_rate.stdev_factor = 1.5;
  counts = {{100, 0}, {100, 0}, {100, 0}, {10, 90}};
  EXPECT_EQ(outliers(), Indices{});
  settings.success_rate.min_hosts = 4;
  EXPECT_EQ(outliers(), Indices{3});
}

TEST_F(OutlierStatisticsTest, host_below_min_volume_is_neither_compared_nor_counted) {
  counts = {{100, 0}, {100, 0}, {100, 0}, {100, 0}, {9, 90}};
  EXPECT_EQ(outliers(), Indices{}) << "99 outcomes";
  counts[4] = {10, 90};
  EXPECT_EQ(outliers(), Indices{4}) << "100 outcomes";
  counts[0] = {99, 0};
  EXPECT_EQ(outliers(), Indices{}) << "four hosts are left";
}

TEST_F(OutlierStatisticsTest, deviation_that_chance_explains_is_no_reason) {
  counts.assign(4, {100, 0});
  counts.push_back({99, 1});
  EXPECT_EQ(outliers(), Indices{}) << "one of five that differs is always two deviations off";
  counts.back() = {80, 20};
  EXPECT_EQ(outliers(), Indices{4});
}

TEST_F(OutlierStatisticsTest, factor_widens_the_bound) {
  counts = {{100, 0}, {100, 0}, {100, 0}, {100, 0}, {50, 50}};
  EXPECT_EQ(outliers(), Indices{4});
  settings.success_rate.stdev_factor = 2.1;
  EXPECT_EQ(outliers(), Indices{});
}

TEST_F(OutlierStatisticsTest, backends_without_a_connect_are_passed_over) {
  settings.success_rate.min_volume = 0;
  settings.failure_percentage = {.is_enabled = true, .threshold = 0, .min_volume = 0};
  counts.assign(8, {0, 0});
  EXPECT_EQ(outliers(), Indices{});
}

TEST_F(OutlierStatisticsTest, failure_percentage_is_met_at_its_threshold_exactly) {
  settings.success_rate.is_enabled = false;
  settings.failure_percentage.is_enabled = true;
  counts = {{151, 849}, {150, 850}, {149, 851}};
  EXPECT_EQ(outliers(), (Indices{2, 1}));
  EXPECT_EQ(proposals.at(1).detector, Detector::failure_percentage);
  EXPECT_EQ(proposals.at(1).why, "85.0 % of 1000 connects failed, 85 % is the limit");
}

TEST_F(OutlierStatisticsTest, failure_percentage_waits_for_its_volume) {
  settings.success_rate.is_enabled = false;
  settings.failure_percentage.is_enabled = true;
  counts = {{0, 49}};
  EXPECT_EQ(outliers(), Indices{});
  counts = {{0, 50}};
  EXPECT_EQ(outliers(), Indices{0});
}

TEST_F(OutlierStatisticsTest, backend_is_proposed_once_and_the_worst_first) {
  settings.failure_percentage.is_enabled = true;
  settings.success_rate.stdev_factor = 1;
  counts = {{100, 0}, {20, 80}, {100, 0}, {5, 95}, {100, 0}, {100, 0}, {100, 0}};
  EXPECT_EQ(outliers(), (Indices{3, 1}));
  EXPECT_EQ(proposals.at(0).detector, Detector::failure_percentage);
  EXPECT_EQ(proposals.at(1).detector, Detector::success_rate);
}

TEST_F(OutlierStatisticsTest, detector_that_is_off_proposes_nothing) {
  settings.success_rate.is_enabled = false;
  counts.assign(9, {100, 0});
  counts.push_back({0, 100});
  EXPECT_EQ(outliers(), Indices{});
}

}  // namespace
}  // namespace sluice
