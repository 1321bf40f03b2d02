#include "validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "scalar.h"
#include "suggest.h"
#include "text.h"

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

  // Where the first of these settings that was given stands; nothing when none was.
  const Place* given(std::initializer_list<std::string> paths) const;
  Place place_of(const std::string& path) const;

  void check_name(const std::string& name, std::string_view noun, const std::string& path,
                  Names& seen);
  void check_listener(const ListenerConfig& listener, const std::string& path);
  void check_target(const ListenerConfig& listener, const std::string& path);
  void check_address(const Address& address, const Place& place);
  void check_cluster(const ClusterConfig& cluster, const std::string& path);
  void check_backends(const ClusterConfig& cluster, const std::string& path);
  void check_health_check(const ClusterConfig& cluster, const std::string& path);
  void check_breaker(const ClusterConfig& cluster, const std::string& path);
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

const Place* Validation::given(std::initializer_list<std::string> paths) const {
  for (const std::string& path : paths) {
    const auto found = places_.find(path);
    if (found != places_.end()) return &found->second;
  }
  return nullptr;
}

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

void Validation::check_health_check(const ClusterConfig& cluster, const std::string& path) {
  if (!cluster.health_check) return;
  const HealthCheckConfig& check = *cluster.health_check;
  const std::string section = path + ".health_check";
  const auto compare = [&](Duration interval, const std::string& name) {
    const Place* place = given({section + ".timeout", fmt::format("{}.{}", section, name)});
    if (place == nullptr || check.timeout <= interval) return;
    problems_.warning(*place,
                      fmt::format("health_check.timeout ({}) is longer than {} ({})",
                                  format_duration(check.timeout), name, format_duration(interval)));
  };
  compare(check.interval, "interval");
  compare(check.unhealthy_interval, "unhealthy_interval");
  if (const Place* send = given({section + ".send"}); send != nullptr && check.expect.empty()) {
    problems_.warning(*send, "health_check.send without expect: whatever the answer is, it passes");
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
  check_health_check(cluster, path);
  check_breaker(cluster, path);
  check_limits(cluster, path);
  check_recovery(cluster, path);
  const ClusterSettings& settings = cluster.settings;
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
}

}  // namespace sluice
