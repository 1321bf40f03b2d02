#include "sluice/control/machine_limits.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

namespace sluice {
namespace {

constexpr uint64_t kDescriptorsMax = 1024 * 1024;
// Below this not even the event loops can be made, let alone a plan.
constexpr uint64_t kDescriptorsMin = 32;
// All pipes together: 256 of 256 KiB are what an unprivileged user gets (pipe-user-pages-soft).
constexpr uint32_t kPipesMax = 256;
constexpr uint32_t kProbesMax = 1024;
// Clients of the admin side: what it takes to have one at all, and the most there may be.
constexpr uint32_t kAdminConnectionsMin = 4;
constexpr uint32_t kAdminConnectionsMax = 256;
// Its listening socket, its epoll and its wake-up; and a batch that it accepts in the place of
// others, which go a moment later.
constexpr uint32_t kAdminReserve = 3 + 4;
// Besides sockets and pipes: log files, the resolver, a spare or two.
constexpr uint32_t kFixedReserve = 10;
// A loop's epoll, its wake-up and the poller's epoll.
constexpr uint32_t kPerWorker = 4;
constexpr uint32_t kUsefulConnectionsMin = 4;

// cgroup v2: "max 100000", or the quota and its period in microseconds.
std::optional<double> processors_by_quota() {
  std::ifstream membership("/proc/self/cgroup");
  std::string line;
  while (std::getline(membership, line)) {
    if (!line.starts_with("0::")) continue;
    std::ifstream file("/sys/fs/cgroup" + line.substr(3) + "/cpu.max");
    double quota = 0;
    double period = 0;
    if (file >> quota >> period && period > 0) return quota / period;
  }
  return std::nullopt;
}

}  // namespace

uint32_t usable_processors() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  int processors = 1;
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0) processors = CPU_COUNT(&mask);
  if (const auto quota = processors_by_quota()) {
    processors = std::min(processors, static_cast<int>(std::ceil(*quota)));
  }
  return static_cast<uint32_t>(std::max(1, processors));
}

uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, kDescriptorsMax);
  if (limit.rlim_cur < wanted) {
    const rlimit raised{.rlim_cur = wanted, .rlim_max = limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return wanted;
  }
  return std::min<uint64_t>(limit.rlim_cur, kDescriptorsMax);
}

Result<void> check_descriptor_floor() {
  const uint64_t limit = raise_descriptor_limit();
  if (limit >= kDescriptorsMin) return {};
  return failure(
      fmt::format("the limit of open files, {}, is too low to start at all; raise it to "
                  "1024 or more (ulimit -n, LimitNOFILE in systemd)",
                  limit));
}

DescriptorNeeds descriptor_needs(const Config& config, uint32_t workers) {
  size_t addresses = 0;
  size_t backends = 0;
  for (const ListenerConfig& listener : config.listeners) addresses += listener.addresses.size();
  for (const ClusterConfig& cluster : config.clusters) backends += cluster.backends.size();
  return {.limit = raise_descriptor_limit(),
          .open = open_descriptors(),
          .workers = workers,
          .listening_sockets = static_cast<uint32_t>(addresses) * workers,
          .backends = static_cast<uint32_t>(backends),
          .has_admin = config.admin.address.has_value(),
          .max_connections = config.max_connections};
}

Result<DescriptorPlan> plan_descriptors(const DescriptorNeeds& needs) {
  const uint64_t admin_fixed = needs.has_admin ? kAdminReserve + kAdminConnectionsMin : 0;
  const uint64_t fixed = uint64_t{needs.open} + kFixedReserve +
                         uint64_t{needs.workers} * kPerWorker + needs.listening_sockets +
                         admin_fixed;
  const uint64_t left = needs.limit > fixed ? needs.limit - fixed : 0;
  // Pipes, probes and the admin side get a small share of what is left; without a pipe data is
  // copied, and a probe without a descriptor is simply made later.
  const uint64_t pipes = std::min<uint64_t>(kPipesMax, left / 16);
  const uint64_t probes = std::min<uint64_t>({needs.backends, kProbesMax, left / 16});
  const uint64_t admin_max = needs.has_admin ? kAdminConnectionsMax - kAdminConnectionsMin : 0;
  const uint64_t admin = std::min(admin_max, left / 16);
  const uint64_t fitting = (left - 2 * pipes - probes - admin) / 2;
  const uint64_t wanted = needs.max_connections.value_or(kUsefulConnectionsMin);
  if (fitting < wanted) {
    // Enough with all of them at their shares, or at their bounds, whichever is less.
    const uint64_t sockets = fixed + 2 * wanted;
    const uint64_t needed = std::min<uint64_t>(
        sockets * 8 / 6 + 2,
        sockets + 2 * uint64_t{kPipesMax} + std::min(needs.backends, kProbesMax) + admin_max);
    return failure(
        fmt::format("the limit of open files, {}, leaves room for {} sessions and {} are wanted; "
                    "raise it to at "
                    "least {} (ulimit -n, LimitNOFILE in systemd){}",
                    needs.limit, fitting, wanted, needed,
                    needs.max_connections ? " or lower max_connections" : ""));
  }
  return DescriptorPlan{
      .connections_max = needs.max_connections.value_or(static_cast<uint32_t>(fitting)),
      .pipes_max = static_cast<uint32_t>(pipes),
      .admin_connections_max =
          needs.has_admin ? static_cast<uint32_t>(admin) + kAdminConnectionsMin : 0};
}

uint32_t open_descriptors() {
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return 16;
  uint32_t count = 0;
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count - 3;  // itself, . and ..
}

uint32_t listen_backlog_max() {
  std::ifstream file("/proc/sys/net/core/somaxconn");
  uint32_t value = 4096;
  file >> value;
  return value;
}

}  // namespace sluice
