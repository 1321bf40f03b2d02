// outlier_detection: a section that is off by default, with detectors in it that are on when given.
#include <gtest/gtest.h>

#include "sluice/config/schema.h"
#include "support.h"

namespace sluice::test {
namespace {

OutlierSettings outliers_of(std::string_view settings) {
  const ReadResult result = read(cluster_with(settings));
  EXPECT_TRUE(result.config) << render_problems("file", settings, result.problems);
  return result.config ? result.config->clusters.at(0).settings.outlier_detection
                       : OutlierSettings{};
}

TEST(OutlierDetection, is_off_unless_given) {
  EXPECT_EQ(outliers_of(""), OutlierSettings{});
  EXPECT_EQ(outliers_of("outlier_detection: off"), OutlierSettings{});
  EXPECT_FALSE(OutlierSettings{}.is_enabled);
}

TEST(OutlierDetection, detector_is_on_when_given_and_the_others_stay_off) {
  for (const std::string_view text : {"{success_rate: on}", "{success_rate: {}}",
                                      "{success_rate: true}", "{success_rate: {min_hosts: 5}}"}) {
    const OutlierSettings outliers = outliers_of(fmt::format("outlier_detection: {}", text));
    EXPECT_TRUE(outliers.is_enabled) << text;
    EXPECT_TRUE(outliers.success_rate.is_enabled) << text;
    EXPECT_FALSE(outliers.failure_percentage.is_enabled) << text;
    EXPECT_FALSE(outliers.early_close.is_enabled) << text;
  }
  const OutlierSettings outliers =
      outliers_of("outlier_detection: {success_rate: off, window: 2s}");
  EXPECT_TRUE(outliers.is_enabled);
  EXPECT_FALSE(outliers.success_rate.is_enabled);
}

TEST(OutlierDetection, every_setting_is_read_and_written_back) {
  const Config config = config_of(
      "listeners: [{name: web, address: 0.0.0.0:80, cluster: web}]\n"
      "clusters: [{name: web, backends: [10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80], "
      "outlier_detection: {window: 10s, success_rate: {min_hosts: 3, min_volume: 7, "
      "stdev_factor: 2.25}, failure_percentage: {threshold: 12.5, min_volume: 9}, "
      "early_close: {threshold: 2}, max_ejected: 33, base_ejection: 1s, max_ejection: 1m}}]\n");
  const OutlierSettings expected = {
      .is_enabled = true,
      .window = std::chrono::seconds(10),
      .success_rate = {.is_enabled = true, .min_hosts = 3, .min_volume = 7, .stdev_factor = 2.25},
      .failure_percentage = {.is_enabled = true, .threshold = 12.5, .min_volume = 9},
      .early_close = {.is_enabled = true, .threshold = 2},
      .max_ejected = 33,
      .base_ejection = std::chrono::seconds(1),
      .max_ejection = std::chrono::minutes(1)};
  EXPECT_EQ(config.clusters[0].settings.outlier_detection, expected);
  const std::string effective = render_effective_config(config);
  EXPECT_EQ(config_of(effective).clusters[0].settings.outlier_detection, expected) << effective;
  EXPECT_NE(render_effective_config(config_of("clusters: [{name: a, backends: [10.0.0.1:80]}]\n"
                                              "listeners: [{name: a, address: 0.0.0.0:80, "
                                              "cluster: a}]\n"))
                .find("outlier_detection: off\n"),
            std::string::npos);
}

TEST(OutlierDetection, needs_the_breaker) {
  EXPECT_EQ(
      problems_of(cluster_with("outlier_detection: {early_close: on}, circuit_breaker: off")),
      Lines{"2:20+1 error: outlier_detection ejects by the circuit_breaker, which is off here"});
}

TEST(OutlierDetection, base_longer_than_the_maximum_is_an_error) {
  EXPECT_EQ(problems_of(cluster_with("outlier_detection: {early_close: on, base_ejection: 10m}")),
            Lines{"2:53+3 error: outlier_detection.base_ejection (10m) is longer than max_ejection "
                  "(5m)"});
}

TEST(OutlierDetection, without_a_detector_is_warned_of) {
  EXPECT_EQ(problems_of(cluster_with("outlier_detection: on")),
            Lines{"2:20+2 warning: outlier_detection without a detector ejects nobody: give "
                  "success_rate, failure_percentage or early_close"});
}

TEST(OutlierDetection, too_few_backends_to_compare_are_warned_of) {
  EXPECT_EQ(problems_of(cluster_with("outlier_detection: {success_rate: on}")),
            Lines{"2:35+2 warning: success_rate compares 5 backends or more, and there are 1: it "
                  "never ejects"});
  EXPECT_EQ(problems_of("clusters: [{name: a, backends: [db.example:1], outlier_detection: "
                        "{success_rate: on}}]\n"
                        "listeners: [{name: a, address: 0.0.0.0:80, cluster: a}]\n"),
            Lines{})
      << "a host name may be many";
}

TEST(OutlierDetection, wrong_values_are_told) {
  EXPECT_EQ(
      problems_of(cluster_with("outlier_detection: {success_rate: {stdev_factor: 11, min_hosts: 1},"
                               " window: 500ms, max_ejected: 101}")),
      (Lines{"2:35+1 warning: success_rate compares 5 backends or more, and there are 1: it never "
             "ejects",
             "2:50+2 error: outlier_detection.success_rate.stdev_factor: '11' is out of range: 0 "
             "to 10",
             "2:65+1 error: outlier_detection.success_rate.min_hosts: '1' is out of range: 2 to "
             "10000",
             "2:77+5 error: outlier_detection.window: '500ms' is out of range: 1s to 1h",
             "2:97+3 error: outlier_detection.max_ejected: '101' is out of range: 0 to 100"}));
  EXPECT_EQ(problems_of(cluster_with("outlier_detection: {early_close: 5}")).back(),
            "2:34+1 error: outlier_detection.early_close: expected a map, on or off, not '5'");
}

}  // namespace
}  // namespace sluice::test
