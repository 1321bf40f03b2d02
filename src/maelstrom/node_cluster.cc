#include "maelstrom/node_cluster.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

// A name in the place of a client's address. FNV-1a, from two beginnings.
IpBytes key_bytes(std::string_view key) {
  constexpr uint64_t kPrime = 0x100000001B3U;
  IpBytes bytes{.bytes = {}, .size = 16};
  for (size_t half = 0; half < 2; ++half) {
    uint64_t hash = 0xCBF29CE484222325U + half;
    for (const char c : key) hash = (hash ^ static_cast<uint8_t>(c)) * kPrime;
    for (size_t i = 0; i < 8; ++i) {
      bytes.bytes[half * 8 + i] = static_cast<uint8_t>(hash >> (8 * i));
    }
  }
  return bytes;
}

std::shared_ptr<const ClusterSnapshot> first_snapshot(Cluster& cluster,
                                                      const ClusterSettings& settings) {
  if (auto snapshot = cluster.snapshot()) return snapshot;
  return cluster.apply(settings, {}, Arrival::cold_start, TimePoint());
}

}  // namespace

// Messages go to names. An address is something the core keeps and never looks at.
BackendSettings named_backend(const std::string& name) {
  return {.name = name, .address = Address::unix_abstract(name), .health_check_port = std::nullopt};
}

NodeCluster::NodeCluster(std::shared_ptr<Cluster> cluster, Owner owner, Options options,
                         Agenda& agenda, Random random)
    : cluster_(std::move(cluster)),
      owner_(owner),
      options_(std::move(options)),
      agenda_(agenda),
      random_(random),
      picker_(first_snapshot(*cluster_, options_.settings), Random(random_.next())) {}

NodeCluster::~NodeCluster() {
  for (const auto& [backend, trial] : held_trials_) agenda_.cancel(trial.deadline);
}

std::vector<std::shared_ptr<Backend>> NodeCluster::backends() const {
  std::vector<std::shared_ptr<Backend>> backends;
  for (const PriorityLevel& level : cluster_->snapshot()->levels) {
    backends.insert(backends.end(), level.backends.begin(), level.backends.end());
  }
  return backends;
}

void NodeCluster::set_backends(const std::vector<BackendSettings>& backends, const Names& probed,
                               TimePoint now) {
  // Whoever nobody probes would wait for ever. So the others come first, as latecomers, and are
  // known already when all are there.
  const bool is_running = !picker_.snapshot()->levels.empty();
  if (is_running && options_.settings.has_probes) {
    std::vector<BackendSettings> known_or_probed;
    std::ranges::copy_if(backends, std::back_inserter(known_or_probed),
                         [&](const BackendSettings& backend) {
                           return probed.contains(backend.name) || cluster_->find(backend.name);
                         });
    cluster_->apply(options_.settings, known_or_probed, Arrival::later, now);
  }
  cluster_->apply(options_.settings, backends, Arrival::cold_start, now);
  picker_.adopt(cluster_->snapshot());
}

void NodeCluster::adopt_snapshot() {
  // A server's cluster changes without telling us.
  if (owner_ == Owner::server) picker_.adopt(cluster_->snapshot());
}

NodeCluster::Pick NodeCluster::pick(const TriedBackends& tried, std::string_view key,
                                    TimePoint now) {
  adopt_snapshot();
  PickRequest request{.tried = tried, .now = now, .client = {}};
  if (looks_at_the_client(settings().balance.policy)) request.client = key_bytes(key);
  return picker_.pick(request);
}

std::optional<NodeCluster::Route> NodeCluster::route(std::string_view key, TimePoint now) {
  auto lease = pick({}, key, now);
  if (!lease) return std::nullopt;
  Route route{.backend = lease->backend(), .is_trial = lease->is_trial()};
  if (route.is_trial) hold(std::move(*lease), now);
  return route;
}

void NodeCluster::hold(Lease lease, TimePoint now) {
  const Backend* backend = lease.backend().get();
  const auto deadline = agenda_.add(
      now + settings().connect_timeout,
      [this, backend](TimePoint due) { settle_held_trial(backend, ConnectOutcome::timeout, due); });
  held_trials_.insert_or_assign(backend, HeldTrial{std::move(lease), deadline});
}

bool NodeCluster::settle_held_trial(const Backend* backend, ConnectOutcome outcome, TimePoint now) {
  auto found = held_trials_.extract(backend);
  if (found.empty()) return false;
  agenda_.cancel(found.mapped().deadline);
  found.mapped().lease.settle(outcome, now, random_);
  return true;
}

void NodeCluster::report(const std::shared_ptr<Backend>& backend, ConnectOutcome outcome,
                         TimePoint now) {
  if (settle_held_trial(backend.get(), outcome, now)) return;
  adopt_snapshot();
  std::optional<Permit> permit = cluster_->admit_probe(*backend, now);
  const CircuitBreaker& breaker = backend->breaker();
  if (!permit && breaker.is_closed() == true) permit = Permit{.generation = breaker.generation()};
  if (!permit) return;
  cluster_->record_connect(*picker_.snapshot(), *backend, *permit, outcome, now, random_);
}

}  // namespace sluice
