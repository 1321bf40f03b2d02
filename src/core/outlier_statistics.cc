#include "sluice/core/outlier_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace sluice {
namespace {

// From 0 to 1. Of one outcome or more.
double success_rate(const OutcomeCounts& counts) {
  return static_cast<double>(counts.successes) / static_cast<double>(counts.volume());
}

struct Peers {
  size_t hosts = 0;
  double mean = 0;
  double deviation = 0;
};

// Nothing when there are too few to compare.
std::optional<Peers> compare(std::span<const OutcomeCounts> backends,
                             const SuccessRateSettings& settings) {
  Peers peers;
  double sum = 0;
  for (const OutcomeCounts& counts : backends) {
    if (counts.volume() < settings.min_volume || counts.volume() == 0) continue;
    ++peers.hosts;
    sum += success_rate(counts);
  }
  if (peers.hosts == 0 || peers.hosts < settings.min_hosts) return std::nullopt;
  const auto hosts = static_cast<double>(peers.hosts);
  peers.mean = sum / hosts;
  double squares = 0;
  for (const OutcomeCounts& counts : backends) {
    if (counts.volume() < settings.min_volume || counts.volume() == 0) continue;
    const double distance = success_rate(counts) - peers.mean;
    squares += distance * distance;
  }
  peers.deviation = std::sqrt(squares / hosts);
  return peers;
}

std::optional<OutlierProposal> judge_rate(size_t index, const OutcomeCounts& counts,
                                          const Peers& peers, const SuccessRateSettings& settings) {
  if (counts.volume() < settings.min_volume) return std::nullopt;
  const double volume = counts.volume();
  const double chance = std::sqrt(std::max(0.0, peers.mean * (1 - peers.mean)) / volume);
  const double bound = peers.mean - settings.stdev_factor * std::max(peers.deviation, chance);
  const double rate = success_rate(counts);
  if (rate >= bound) return std::nullopt;
  return OutlierProposal{
      .index = index,
      .detector = Detector::success_rate,
      .success_rate = rate * 100,
      .why = fmt::format("success rate {:.1f} % below {:.1f} % (mean {:.1f} %, {} hosts)",
                         rate * 100, bound * 100, peers.mean * 100, peers.hosts)};
}

std::optional<OutlierProposal> judge_failures(size_t index, const OutcomeCounts& counts,
                                              const FailurePercentageSettings& settings) {
  if (counts.volume() < settings.min_volume) return std::nullopt;
  const double failures = counts.failures;
  const double volume = counts.volume();
  if (counts.failures == 0 || failures * 100 < settings.threshold * volume) return std::nullopt;
  return OutlierProposal{
      .index = index,
      .detector = Detector::failure_percentage,
      .success_rate = success_rate(counts) * 100,
      .why = fmt::format("{:.1f} % of {} connects failed, {:g} % is the limit",
                         failures * 100 / volume, counts.volume(), settings.threshold)};
}

}  // namespace

std::vector<OutlierProposal> find_outliers(std::span<const OutcomeCounts> backends,
                                           const OutlierSettings& settings) {
  std::optional<Peers> peers;
  if (settings.success_rate.is_enabled) peers = compare(backends, settings.success_rate);
  std::vector<OutlierProposal> proposals;
  for (size_t i = 0; i < backends.size(); ++i) {
    if (backends[i].volume() == 0) continue;
    std::optional<OutlierProposal> proposal;
    if (settings.failure_percentage.is_enabled) {
      proposal = judge_failures(i, backends[i], settings.failure_percentage);
    }
    if (!proposal && peers) proposal = judge_rate(i, backends[i], *peers, settings.success_rate);
    if (proposal) proposals.push_back(std::move(*proposal));
  }
  std::stable_sort(proposals.begin(), proposals.end(),
                   [](const OutlierProposal& a, const OutlierProposal& b) {
                     return a.success_rate < b.success_rate;
                   });
  return proposals;
}

}  // namespace sluice
