#include "validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "given.h"
#include "scalar.h"
#include "suggest.h"
#include "text.h"
#include "validate_files.h"
#include "validate_logs.h"
#include "validate_probe.h"

namespace sluice {
namespace {

class Validation {
 public:
  Validation(const Config& config, const Places& places, Problems& problems)
      : config_(config), places_(places), problems_(problems) {}

  void run();

 private:
  using Names = std::map<std::string, Place, std::less<>>;

  struct Bound {
    Address address;
    Place place;
  };

  const Place* given(std::initializer_list<std::string> paths) const {
    return sluice::given(places_, paths);
  }
  Place place_of(const std::string& path) const;

  void check_name(const std::string& name, std::string_view noun, const std::string& path,
                  Names& seen);
  void check_admin();
  void check_listener(const ListenerConfig& listener, const std::string& path);
  void check_target(const ListenerConfig& listener, const std::string& path);
  void check_address(const Address& address, const Place& place);
  void check_cluster(const ClusterConfig& cluster, const std::string& path);
  void check_backends(const ClusterConfig& cluster, const std::string& path);
  void check_balance(const ClusterConfig& cluster, const std::string& path);
  void check_breaker(const ClusterConfig& cluster, const std::string& path);
  void check_outliers(const ClusterConfig& cluster, const std::string& path);
  void check_limits(const ClusterConfig& cluster, const std::string& path);
  void check_recovery(const ClusterConfig& cluster, const std::string& path);
  void check_unused(const ClusterConfig& cluster, const std::string& path);

  const Config& config_;
  const Places& places_;
  Problems& problems_;
  Names listener_names_;
  Names cluster_names_;
  std::vector<std::string_view> known_clusters_;
  bool knows_all_clusters_ = true;  // no cluster's name was wrong
  std::set<std::string_view> used_clusters_;
  std::vector<Bound> bound_;
};

Place Validation::place_of(const std::string& path) const {
  const Place* place = given({path});
  return place != nullptr ? *place : Place::file();
}

void Validation::check_name(const std::string& name, std::string_view noun, const std::string& path,
                            Names& seen) {
  if (name.empty()) return;
  const Place* place = given({path + ".name", path + ".address", path});
  if (place == nullptr) return;
  const auto [first, is_new] = seen.emplace(name, *place);
  if (is_new) return;
  const int line = problems_.line_of(first->second);
  problems_.error(*place, fmt::format("a {} named '{}' is there already{}", noun, excerpt(name),
                                      line == 0 ? "" : fmt::format(", on line {}", line)));
}

bool is_any(const Address& address) {
  const bool is_zero = std::all_of(address.bytes().begin(), address.bytes().end(),
                                   [](uint8_t byte) { return byte == 0; });
  return address.is_ip() && is_zero;
}

// Whether both take the same connections: one of them listens on every address of its family.
bool overlap(const Address& a, const Address& b) {
  return a.kind() == b.kind() && a.is_ip() && a.port() == b.port() && (is_any(a) || is_any(b));
}

void Validation::check_address(const Address& address, const Place& place) {
  const bool picks_free_port = address.is_ip() && address.port() == 0;
  if (picks_free_port) return;
  for (const Bound& other : bound_) {
    const int line = problems_.line_of(other.place);
    const std::string where = line == 0 ? "" : fmt::format(" on line {}", line);
    if (other.address == address) {
      problems_.error(place,
                      fmt::format("{} is bound already{}", excerpt(address.to_string()), where));
      break;
    }
    if (!overlap(other.address, address)) continue;
    problems_.warning(place, fmt::format("{} and {}{} overlap: the more exact one gets its clients",
                                         excerpt(address.to_string()),
                                         excerpt(other.address.to_string()), where));
    break;
  }
  bound_.push_back({address, place});
}

// Of another host's requests the network sees all but the token, and without one anybody could
// change anything.
void Validation::check_admin() {
  const AdminConfig& admin = config_.admin;
  if (const Place* token = given({"admin.token_file"}); token != nullptr && !admin.address) {
    problems_.warning(*token, "admin.token_file does nothing without admin.address");
  }
  const Place* place = given({"admin.address"});
  if (place == nullptr || !admin.address) return;
  check_address(*admin.address, *place);
  const bool is_local = admin.address->is_unix() || admin.address->is_loopback();
  if (is_local || !admin.token_file.empty()) return;
  problems_.error(*place, fmt::format("admin.address {} can be reached from other hosts: add "
                                      "admin.token_file, or listen on 127.0.0.1 or a unix socket",
                                      excerpt(admin.address->to_string())));
}

void Validation::check_target(const ListenerConfig& listener, const std::string& path) {
  if (listener.cluster.empty()) return;
  used_clusters_.insert(listener.cluster);
  if (!knows_all_clusters_ || cluster_names_.contains(listener.cluster)) return;
  problems_.error(place_of(path + ".cluster"),
                  fmt::format("there is no cluster named '{}'{}", excerpt(listener.cluster),
                              did_you_mean(listener.cluster, known_clusters_)));
}

void Validation::check_listener(const ListenerConfig& listener, const std::string& path) {
  check_name(listener.name, "listener", path, listener_names_);
  check_target(listener, path);
  for (size_t i = 0; i < listener.addresses.size(); ++i) {
    const Place* place = given({fmt::format("{}.address[{}]", path, i), path + ".address"});
    if (place != nullptr) check_address(listener.addresses[i], *place);
  }
}

void Validation::check_backends(const ClusterConfig& cluster, const std::string& path) {
  Names names;
  const Place* list = given({path + ".backends"});
  for (size_t i = 0; i < cluster.backends.size(); ++i) {
    const BackendConfig& backend = cluster.backends[i];
    const std::string at = fmt::format("{}.backends[{}]", path, i);
    check_name(backend.name, "backend", at, names);
    if (const Place* port = given({at + ".health_check_port"});
        port != nullptr && backend.address.is_unix()) {
      problems_.error(*port, "health_check_port: a unix socket has no ports");
    }
  }
  if (list == nullptr) return;
  if (cluster.backends.empty()) {
    problems_.warning(*list, fmt::format("cluster '{}' has no backends: its clients are refused",
                                         excerpt(cluster.name)));
  } else if (std::all_of(cluster.backends.begin(), cluster.backends.end(),
                         [](const BackendConfig& backend) { return backend.weight == 0; })) {
    problems_.warning(*list, fmt::format("every backend of cluster '{}' has weight 0: its clients "
                                         "are refused",
                                         excerpt(cluster.name)));
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
void Validation::check_balance(const ClusterConfig& cluster, const std::string& path) {
  const BalancePolicy policy = cluster.settings.balance.policy;
  const auto check = [&](std::string_view setting, bool counts, std::string_view needed) {
    const Place* place = given({fmt::format("{}.balance.{}", path, setting)});
    if (place == nullptr || counts) return;
    problems_.warning(*place, fmt::format("balance.{} does nothing with policy {}; it is for {}",
                                          setting, name(policy), needed));
  };
  check("choices", policy == BalancePolicy::random, "random");
  for (const std::string_view setting : {"prefix_v4", "prefix_v6", "max_load"}) {
    check(setting, looks_at_the_client(policy), "source_hash and maglev");
  }
  const BalanceSettings& balance = cluster.settings.balance;
  const Place* factor = given({path + ".balance.overprovisioning"});
  const bool is_own = balance.overprovisioning != BalanceSettings{}.overprovisioning;
  if (factor != nullptr && is_own && !has_several_priorities(cluster)) {
    problems_.warning(*factor,
                      "balance.overprovisioning is about several priorities, and there is one");
  }
  const Place* first = given({path + ".balance.policy", path + ".balance"});
  const bool is_unlimited = !cluster.settings.limits.of_backend;
  if (first != nullptr && policy == BalancePolicy::first && is_unlimited &&
      may_have_several_backends(cluster)) {
    problems_.warning(*first,
                      "policy first without limits.max_connections_per_backend: the first backend "
                      "that is available gets every client");
  }
}

void Validation::check_breaker(const ClusterConfig& cluster, const std::string& path) {
  const CircuitBreakerSettings& breaker = cluster.settings.circuit_breaker;
  if (!breaker.is_enabled) return;
  const std::string section = path + ".circuit_breaker";
  const Place* time = given({section + ".recovery_timeout", section + ".max_recovery_timeout"});
  if (time != nullptr && breaker.recovery_timeout > breaker.max_recovery_timeout) {
    problems_.warning(*time, fmt::format("circuit_breaker.recovery_timeout ({}) is longer than "
                                         "max_recovery_timeout ({}), which counts",
                                         format_duration(breaker.recovery_timeout),
                                         format_duration(breaker.max_recovery_timeout)));
  }
  const Place* early = given({section + ".early_trial"});
  if (early != nullptr && breaker.early_trial && !cluster.health_check) {
    problems_.warning(*early, "circuit_breaker.early_trial needs health_check, which is off");
  }
}

void Validation::check_outliers(const ClusterConfig& cluster, const std::string& path) {
  const OutlierSettings& outliers = cluster.settings.outlier_detection;
  const std::string section = path + ".outlier_detection";
  const Place* place = given({section});
  if (place == nullptr || !outliers.is_enabled) return;
  if (!cluster.settings.circuit_breaker.is_enabled) {
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
      hosts != nullptr && rate.is_enabled && !cluster.backends.empty() &&
      std::none_of(cluster.backends.begin(), cluster.backends.end(),
                   [](const BackendConfig& backend) { return backend.address.is_name(); }) &&
      cluster.backends.size() < rate.min_hosts) {
    problems_.warning(*hosts, fmt::format("success_rate compares {} backends or more, and there "
                                          "are {}: it never ejects",
                                          rate.min_hosts, cluster.backends.size()));
  }
}

void Validation::check_limits(const ClusterConfig& cluster, const std::string& path) {
  const ConnectionLimits& limits = cluster.settings.limits;
  const std::string section = path + ".limits";
  const Place* pending = given({section + ".max_pending"});
  const bool has_limit = limits.of_cluster || limits.of_backend;
  if (pending != nullptr && cluster.settings.pending.clients_max > 0 && !has_limit) {
    problems_.warning(*pending,
                      "limits.max_pending without max_connections or "
                      "max_connections_per_backend: nobody ever waits");
  }
  const PendingSettings& queue = cluster.settings.pending;
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
void Validation::check_recovery(const ClusterConfig& cluster, const std::string& path) {
  if (cluster.health_check) return;
  const Place* closing = given({path + ".close_on_unhealthy"});
  if (closing != nullptr && cluster.close_on_unhealthy.is_enabled) {
    problems_.warning(*closing, "close_on_unhealthy needs health_check, which is off");
  }
  const Place* slow = given({path + ".slow_start"});
  const bool has_breaker = cluster.settings.circuit_breaker.is_enabled;
  if (slow != nullptr && cluster.settings.slow_start && !has_breaker) {
    problems_.warning(*slow,
                      "slow_start needs health_check or circuit_breaker, which are off: "
                      "nobody is seen to recover");
  }
}

void Validation::check_cluster(const ClusterConfig& cluster, const std::string& path) {
  check_backends(cluster, path);
  check_balance(cluster, path);
  if (cluster.health_check) {
    validate_probe(*cluster.health_check, path + ".health_check", places_, problems_);
  }
  check_breaker(cluster, path);
  check_outliers(cluster, path);
  check_limits(cluster, path);
  check_recovery(cluster, path);
  const ClusterSettings& settings = cluster.settings;
  const Place* budget = given({path + ".retry_budget"});
  if (budget != nullptr && settings.retry_budget.is_enabled && settings.connect_attempts == 1) {
    problems_.warning(*budget, "retry_budget does nothing with connect_attempts 1: nobody retries");
  }
  const Place* place = given({path + ".connect_timeout", path + ".connect_deadline"});
  if (place != nullptr && settings.connect_timeout > settings.connect_deadline) {
    problems_.warning(*place, fmt::format("connect_timeout ({}) is longer than connect_deadline "
                                          "({}), which counts",
                                          format_duration(settings.connect_timeout),
                                          format_duration(settings.connect_deadline)));
  }
}

void Validation::check_unused(const ClusterConfig& cluster, const std::string& path) {
  if (cluster.name.empty() || used_clusters_.contains(cluster.name)) return;
  problems_.warning(place_of(path + ".name"),
                    fmt::format("no listener uses cluster '{}'", excerpt(cluster.name)));
}

void Validation::run() {
  for (size_t i = 0; i < config_.clusters.size(); ++i) {
    const std::string& name = config_.clusters[i].name;
    check_name(name, "cluster", fmt::format("clusters[{}]", i), cluster_names_);
    known_clusters_.push_back(name);
    knows_all_clusters_ = knows_all_clusters_ && !name.empty();
  }
  check_admin();
  for (size_t i = 0; i < config_.listeners.size(); ++i) {
    check_listener(config_.listeners[i], fmt::format("listeners[{}]", i));
  }
  for (size_t i = 0; i < config_.clusters.size(); ++i) {
    check_cluster(config_.clusters[i], fmt::format("clusters[{}]", i));
    if (!config_.listeners.empty()) {
      check_unused(config_.clusters[i], fmt::format("clusters[{}]", i));
    }
  }
  if (config_.listeners.empty()) {
    problems_.warning(place_of("listeners"), "there are no listeners: nobody can connect");
  }
}

}  // namespace

void validate(const Config& config, const Places& places, Problems& problems) {
  Validation(config, places, problems).run();
  validate_files(config, places, problems);
  validate_logs(config, places, problems);
}

}  // namespace sluice
