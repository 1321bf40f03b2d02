#include "validate_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "given.h"
#include "scalar.h"
#include "text.h"
#include "unique_names.h"
#include "validate_probe.h"

namespace sluice {
namespace {

class ClusterValidation {
 public:
  ClusterValidation(const ClusterConfig& cluster, const std::string& path, const Places& places,
                    Problems& problems)
      : cluster_(cluster), path_(path), places_(places), problems_(problems) {}

  void run() const;

 private:
  const Place* given(std::initializer_list<std::string> paths) const {
    return sluice::given(places_, paths);
  }

  void check_backends() const;
  void check_balance() const;
  void check_breaker() const;
  void check_outliers() const;
  void check_limits() const;
  void check_recovery() const;
  void check_connects() const;

  const ClusterConfig& cluster_;
  const std::string& path_;
  const Places& places_;
  Problems& problems_;
};

void ClusterValidation::check_backends() const {
  UniqueNames names("backend", places_, problems_);
  const Place* list = given({path_ + ".backends"});
  for (size_t i = 0; i < cluster_.backends.size(); ++i) {
    const BackendConfig& backend = cluster_.backends[i];
    const std::string at = fmt::format("{}.backends[{}]", path_, i);
    names.add(backend.name, at);
    if (const Place* port = given({at + ".health_check_port"});
        port != nullptr && backend.address.is_unix()) {
      problems_.error(*port, "health_check_port: a unix socket has no ports");
    }
  }
  if (list == nullptr) return;
  if (cluster_.backends.empty()) {
    problems_.warning(*list, fmt::format("cluster '{}' has no backends: its clients are refused",
                                         excerpt(cluster_.name)));
  } else if (std::all_of(cluster_.backends.begin(), cluster_.backends.end(),
                         [](const BackendConfig& backend) { return backend.weight == 0; })) {
    problems_.warning(*list, fmt::format("every backend of cluster '{}' has weight 0: its clients "
                                         "are refused",
                                         excerpt(cluster_.name)));
  }
}

bool has_several_priorities(const ClusterConfig& cluster) {
  return std::any_of(cluster.backends.begin(), cluster.backends.end(),
                     [&](const BackendConfig& backend) {
                       return backend.priority != cluster.backends.front().priority;
                     });
}

// A host name may have several addresses.
bool may_have_several_backends(const ClusterConfig& cluster) {
  if (cluster.backends.size() != 1) return !cluster.backends.empty();
  return cluster.backends.front().address.is_name();
}

// A setting of another policy than the one chosen was meant for something.
void ClusterValidation::check_balance() const {
  const BalancePolicy policy = cluster_.settings.balance.policy;
  const auto check = [&](std::string_view setting, bool counts, std::string_view needed) {
    const Place* place = given({fmt::format("{}.balance.{}", path_, setting)});
    if (place == nullptr || counts) return;
    problems_.warning(*place, fmt::format("balance.{} does nothing with policy {}; it is for {}",
                                          setting, name(policy), needed));
  };
  check("choices", policy == BalancePolicy::random, "random");
  for (const std::string_view setting : {"prefix_v4", "prefix_v6", "max_load"}) {
    check(setting, looks_at_the_client(policy), "source_hash and maglev");
  }
  const BalanceSettings& balance = cluster_.settings.balance;
  const Place* factor = given({path_ + ".balance.overprovisioning"});
  const bool is_own = balance.overprovisioning != BalanceSettings{}.overprovisioning;
  if (factor != nullptr && is_own && !has_several_priorities(cluster_)) {
    problems_.warning(*factor,
                      "balance.overprovisioning is about several priorities, and there is one");
  }
  const Place* first = given({path_ + ".balance.policy", path_ + ".balance"});
  const bool is_unlimited = !cluster_.settings.limits.of_backend;
  if (first != nullptr && policy == BalancePolicy::first && is_unlimited &&
      may_have_several_backends(cluster_)) {
    problems_.warning(*first,
                      "policy first without limits.max_connections_per_backend: the first backend "
                      "that is available gets every client");
  }
}

void ClusterValidation::check_breaker() const {
  const CircuitBreakerSettings& breaker = cluster_.settings.circuit_breaker;
  if (!breaker.is_enabled) return;
  const std::string section = path_ + ".circuit_breaker";
  const Place* time = given({section + ".recovery_timeout", section + ".max_recovery_timeout"});
  if (time != nullptr && breaker.recovery_timeout > breaker.max_recovery_timeout) {
    problems_.warning(*time, fmt::format("circuit_breaker.recovery_timeout ({}) is longer than "
                                         "max_recovery_timeout ({}), which counts",
                                         format_duration(breaker.recovery_timeout),
                                         format_duration(breaker.max_recovery_timeout)));
  }
  const Place* early = given({section + ".early_trial"});
  if (early != nullptr && breaker.early_trial && !cluster_.health_check) {
    problems_.warning(*early, "circuit_breaker.early_trial needs health_check, which is off");
  }
}

void ClusterValidation::check_outliers() const {
  const OutlierSettings& outliers = cluster_.settings.outlier_detection;
  const std::string section = path_ + ".outlier_detection";
  const Place* place = given({section});
  if (place == nullptr || !outliers.is_enabled) return;
  if (!cluster_.settings.circuit_breaker.is_enabled) {
    problems_.error(*place, "outlier_detection ejects by the circuit_breaker, which is off here");
  }
  const Place* time = given({section + ".base_ejection", section + ".max_ejection"});
  if (time != nullptr && outliers.base_ejection > outliers.max_ejection) {
    problems_.error(*time, fmt::format("outlier_detection.base_ejection ({}) is longer than "
                                       "max_ejection ({})",
                                       format_duration(outliers.base_ejection),
                                       format_duration(outliers.max_ejection)));
  }
  if (!outliers.is_statistical() && !outliers.early_close.is_enabled) {
    problems_.warning(*place,
                      "outlier_detection without a detector ejects nobody: give success_rate, "
                      "failure_percentage or early_close");
  }
  const SuccessRateSettings& rate = outliers.success_rate;
  if (const Place* hosts = given({section + ".success_rate"});
      hosts != nullptr && rate.is_enabled && !cluster_.backends.empty() &&
      std::none_of(cluster_.backends.begin(), cluster_.backends.end(),
                   [](const BackendConfig& backend) { return backend.address.is_name(); }) &&
      cluster_.backends.size() < rate.min_hosts) {
    problems_.warning(*hosts, fmt::format("success_rate compares {} backends or more, and there "
                                          "are {}: it never ejects",
                                          rate.min_hosts, cluster_.backends.size()));
  }
}

void ClusterValidation::check_limits() const {
  const ConnectionLimits& limits = cluster_.settings.limits;
  const std::string section = path_ + ".limits";
  const Place* pending = given({section + ".max_pending"});
  const bool has_limit = limits.of_cluster || limits.of_backend;
  if (pending != nullptr && cluster_.settings.pending.clients_max > 0 && !has_limit) {
    problems_.warning(*pending,
                      "limits.max_pending without max_connections or "
                      "max_connections_per_backend: nobody ever waits");
  }
  const PendingSettings& queue = cluster_.settings.pending;
  const Place* timeout = given({section + ".queue_timeout"});
  const bool is_own = queue.timeout != PendingSettings{}.timeout;
  if (timeout != nullptr && is_own && queue.clients_max == 0) {
    problems_.warning(*timeout, "limits.queue_timeout without max_pending: nobody waits");
  }
  const Place* of_backend = given({section + ".max_connections_per_backend"});
  if (of_backend != nullptr && limits.of_cluster && limits.of_backend > limits.of_cluster) {
    problems_.warning(*of_backend, fmt::format("limits.max_connections_per_backend ({}) is more "
                                               "than max_connections ({}), which counts",
                                               *limits.of_backend, *limits.of_cluster));
  }
}

// What happens when a backend goes and comes back.
void ClusterValidation::check_recovery() const {
  if (cluster_.health_check) return;
  const Place* closing = given({path_ + ".close_on_unhealthy"});
  if (closing != nullptr && cluster_.close_on_unhealthy.is_enabled) {
    problems_.warning(*closing, "close_on_unhealthy needs health_check, which is off");
  }
  const Place* slow = given({path_ + ".slow_start"});
  const bool has_breaker = cluster_.settings.circuit_breaker.is_enabled;
  if (slow != nullptr && cluster_.settings.slow_start && !has_breaker) {
    problems_.warning(*slow,
                      "slow_start needs health_check or circuit_breaker, which are off: "
                      "nobody is seen to recover");
  }
}

void ClusterValidation::check_connects() const {
  const ClusterSettings& settings = cluster_.settings;
  const Place* budget = given({path_ + ".retry_budget"});
  if (budget != nullptr && settings.retry_budget.is_enabled && settings.connect_attempts == 1) {
    problems_.warning(*budget, "retry_budget does nothing with connect_attempts 1: nobody retries");
  }
  const Place* place = given({path_ + ".connect_timeout", path_ + ".connect_deadline"});
  if (place != nullptr && settings.connect_timeout > settings.connect_deadline) {
    problems_.warning(*place, fmt::format("connect_timeout ({}) is longer than connect_deadline "
                                          "({}), which counts",
                                          format_duration(settings.connect_timeout),
                                          format_duration(settings.connect_deadline)));
  }
}

void ClusterValidation::run() const {
  check_backends();
  check_balance();
  if (cluster_.health_check) {
    validate_probe(*cluster_.health_check, path_ + ".health_check", places_, problems_);
  }
  check_breaker();
  check_outliers();
  check_limits();
  check_recovery();
  check_connects();
}

}  // namespace

void validate_cluster(const ClusterConfig& cluster, const std::string& path, const Places& places,
                      Problems& problems) {
  ClusterValidation(cluster, path, places, problems).run();
}

}  // namespace sluice
