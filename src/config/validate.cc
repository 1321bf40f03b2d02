#include "validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "given.h"
#include "suggest.h"
#include "text.h"
#include "unique_names.h"
#include "validate_cluster.h"
#include "validate_files.h"
#include "validate_logs.h"

namespace sluice {
namespace {

class Validation {
 public:
  Validation(const Config& config, const Places& places, Problems& problems)
      : config_(config), places_(places), problems_(problems) {}

  void run();

 private:
  struct Bound {
    Address address;
    Place place;
  };

  const Place* given(std::initializer_list<std::string> paths) const {
    return sluice::given(places_, paths);
  }

  void check_admin();
  void check_listener(const ListenerConfig& listener, const std::string& path);
  void check_target(const ListenerConfig& listener, const std::string& path);
  void check_address(const Address& address, const Place& place);
  void check_unused(const ClusterConfig& cluster, const std::string& path);

  const Config& config_;
  const Places& places_;
  Problems& problems_;
  UniqueNames listener_names_{"listener", places_, problems_};
  UniqueNames cluster_names_{"cluster", places_, problems_};
  std::vector<std::string_view> known_clusters_;
  bool knows_all_clusters_ = true;  // no cluster's name was wrong
  std::set<std::string_view> used_clusters_;
  std::vector<Bound> bound_;
};

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
  problems_.error(place_of(places_, path + ".cluster"),
                  fmt::format("there is no cluster named '{}'{}", excerpt(listener.cluster),
                              did_you_mean(listener.cluster, known_clusters_)));
}

void Validation::check_listener(const ListenerConfig& listener, const std::string& path) {
  listener_names_.add(listener.name, path);
  check_target(listener, path);
  for (size_t i = 0; i < listener.addresses.size(); ++i) {
    const Place* place = given({fmt::format("{}.address[{}]", path, i), path + ".address"});
    if (place != nullptr) check_address(listener.addresses[i], *place);
  }
}

void Validation::check_unused(const ClusterConfig& cluster, const std::string& path) {
  if (cluster.name.empty() || used_clusters_.contains(cluster.name)) return;
  problems_.warning(place_of(places_, path + ".name"),
                    fmt::format("no listener uses cluster '{}'", excerpt(cluster.name)));
}

void Validation::run() {
  for (size_t i = 0; i < config_.clusters.size(); ++i) {
    const std::string& name = config_.clusters[i].name;
    cluster_names_.add(name, fmt::format("clusters[{}]", i));
    known_clusters_.push_back(name);
    knows_all_clusters_ = knows_all_clusters_ && !name.empty();
  }
  check_admin();
  for (size_t i = 0; i < config_.listeners.size(); ++i) {
    check_listener(config_.listeners[i], fmt::format("listeners[{}]", i));
  }
  for (size_t i = 0; i < config_.clusters.size(); ++i) {
    const std::string path = fmt::format("clusters[{}]", i);
    validate_cluster(config_.clusters[i], path, places_, problems_);
    if (!config_.listeners.empty()) check_unused(config_.clusters[i], path);
  }
  if (config_.listeners.empty()) {
    problems_.warning(place_of(places_, "listeners"), "there are no listeners: nobody can connect");
  }
}

}  // namespace

void validate(const Config& config, const Places& places, Problems& problems) {
  Validation(config, places, problems).run();
  validate_files(config, places, problems);
  validate_logs(config, places, problems);
}

}  // namespace sluice
