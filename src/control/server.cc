#include "sluice/control/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <utility>

#include "admin/open_admin.h"
#include "listening_sockets.h"

namespace sluice {
namespace {

// How long a start waits for host names before it serves the backends it knows.
constexpr Duration kResolveWaitMax = std::chrono::seconds(3);
constexpr Duration kHousekeepingInterval = std::chrono::seconds(10);

uint64_t entropy() {
  std::random_device device;
  return (uint64_t{device()} << 32U) | device();
}

}  // namespace

Server::Server(Config config, Log& log, Descriptors& descriptors, ServerObserver observer)
    : config_(std::move(config)),
      descriptors_(descriptors),
      observer_(std::move(observer)),
      process_log_(log),
      logs_(config_, log, process_log_, descriptors),
      mailbox_(loop_),
      poller_(loop_),
      notifier_(loop_),
      random_(entropy()),
      resolver_(loop_),
      health_checker_(loop_, poller_, Random(random_.next())),
      drain_due_(loop_, [this] { cut_sessions(EndReason::draining, "drain_timeout is over"); }),
      serve_anyway_(loop_, [this] { begin_serving(); }),
      housekeeping_due_(loop_, [this] { keep_house(); }),
      cluster_timers_(loop_, clusters_, process_log_),
      crew_(mailbox_) {
  housekeeping_due_.start(kHousekeepingInterval);
}

Server::~Server() = default;

Result<void> Server::start() {
  const uint32_t workers = config_.workers.value_or(usable_processors());
  const auto plan = plan_descriptors(descriptor_needs(config_, workers));
  if (!plan) return tl::unexpected(plan.error());
  connections_max_ = plan->connections_max;
  process_limit_ = std::make_unique<ConnectionLimit>(connections_max_);

  const auto sockets = open_listeners(config_.listeners, workers, descriptors_, process_log_);
  if (!sockets) return tl::unexpected(sockets.error());
  if (const auto opened = logs_.open(); !opened) return tl::unexpected(opened.error());
  if (const auto opened = open_state(); !opened) return tl::unexpected(opened.error());
  make_clusters(workers);
  make_workers(workers, plan->pipes_max, *sockets);
  note_listeners(*sockets);
  auto admin = open_admin(admin_scope(), descriptors_, plan->admin_connections_max,
                          observer_.on_admin_listening);
  if (!admin) return tl::unexpected(admin.error());
  admin_ = std::move(*admin);
  watch_signals();

  serve_anyway_.start(kResolveWaitMax);
  for (const auto& cluster : clusters_) cluster->start_resolving();
  serve_when_resolved();
  return {};
}

Result<void> Server::open_state() {
  if (config_.state_file.empty()) return {};
  state_store_ = std::make_unique<StateStore>(
      loop_, mailbox_, process_log_,
      StateStore::Options{.path = config_.state_file, .max_age = config_.state_max_age});
  return state_store_->open();
}

AdminScope Server::admin_scope() {
  const auto state = [this] {
    if (is_draining_) return ServingState::draining;
    return is_serving_ ? ServingState::accepting : ServingState::starting;
  };
  const auto keep = [this] {
    if (state_store_) state_store_->touch();
  };
  return {.loop = loop_,
          .mailbox = mailbox_,
          .poller = poller_,
          .log = process_log_,
          .config = config_,
          .clusters = clusters_,
          .listeners = open_listeners_,
          .workers = crew_.workers(),
          .spread = crew_.spread(),
          .process_limit = *process_limit_,
          .connections_max = connections_max_,
          .state = state,
          .drain = [this] { drain(); },
          .publish = [this](ClusterControl& cluster) { crew_.adopt(cluster); },
          .keep = keep,
          .log_losses = [this] { return logs_.losses(); }};
}

void Server::make_clusters(uint32_t workers) {
  for (const ClusterConfig& config : config_.clusters) {
    const auto sink = [this](Transition transition) {
      mailbox_.post([this, transition = std::move(transition)] { on_transition(transition); });
    };
    clusters_.push_back(std::make_unique<ClusterControl>(
        loop_, resolver_, process_log_, config, sink, Random(random_.next()),
        [this](ClusterControl& cluster) { on_cluster_change(cluster); }, workers));
    if (state_store_) state_store_->add(clusters_.back()->cluster());
  }
}

void Server::make_workers(uint32_t workers, uint32_t pipes_max,
                          const std::vector<ListeningSockets>& sockets) {
  for (uint32_t i = 0; i < workers; ++i) {
    Worker::Reports reports;
    reports.on_records = [this](std::vector<SessionRecord> records) {
      logs_.access()->submit(std::move(records));
    };
    reports.on_notice = [this](WorkerNotice notice) {
      mailbox_.post([this, notice = std::move(notice)] { process_log_.notice(notice); });
    };
    crew_.hire({.pipes_max = pipes_max / workers,
                .splice = config_.splice,
                .busy_poll = config_.busy_poll,
                .seed = random_.next(),
                .keeps_records = logs_.access() != nullptr},
               std::move(reports), *process_limit_, clusters_, sockets);
  }
}

void Server::note_listeners(const std::vector<ListeningSockets>& sockets) {
  for (const ListeningSockets& socket : sockets) {
    const Address address = local_address(socket.fds.front()->get());
    if (open_listeners_.empty() || open_listeners_.back().listener != socket.listener) {
      open_listeners_.push_back({.listener = socket.listener, .addresses = {}});
    }
    open_listeners_.back().addresses.push_back(address);
    process_log_.listening(socket.listener->config().name, address.to_string());
    if (observer_.on_listening) observer_.on_listening(socket.listener->config().name, address);
  }
}

void Server::watch_signals() {
  const auto on_stop = [this] {
    if (is_draining_) {
      cut_sessions(EndReason::shutdown, "told to stop a second time");
    } else {
      begin_drain();
    }
  };
  const auto watch = [this](int number, std::function<void()> action) {
    signals_.push_back(std::make_unique<SignalWatcher>(loop_, number, std::move(action)));
  };
  watch(SIGTERM, on_stop);
  watch(SIGINT, on_stop);
  watch(SIGUSR1, [this] { logs_.reopen(); });
  watch(SIGHUP, [this] {
    process_log_.warning("reload", "this version cannot reload: restart it to apply a new file");
  });
  watch(SIGUSR2, [this] {
    process_log_.warning("upgrade", "this version cannot hand over to a new binary: restart it");
  });
}

void Server::serve_when_resolved() {
  const bool is_resolving =
      std::any_of(clusters_.begin(), clusters_.end(),
                  [](const auto& cluster) { return cluster->is_resolving(); });
  if (!is_resolving) begin_serving();
}

void Server::begin_serving() {
  if (std::exchange(is_serving_, true) || is_draining_) return;
  serve_anyway_.stop();
  for (const auto& cluster : clusters_) {
    health_checker_.watch(cluster->cluster(), cluster->config(), cluster->backends());
  }
  crew_.start();
  cluster_timers_.judge_outliers();
  process_log_.ready(static_cast<uint32_t>(crew_.workers().size()), connections_max_);
  notifier_.ready();
}

void Server::run() { loop_.run(); }

void Server::drain() {
  mailbox_.post([this] { begin_drain(); });
}

std::vector<std::shared_ptr<Cluster>> Server::clusters() const {
  std::vector<std::shared_ptr<Cluster>> clusters;
  for (const auto& control : clusters_) clusters.push_back(control->cluster());
  return clusters;
}

void Server::replace_backends(std::string_view cluster, std::vector<BackendConfig> backends,
                              std::function<void()> on_adopted) {
  const auto found = std::find_if(clusters_.begin(), clusters_.end(), [&](const auto& control) {
    return control->config().name == cluster;
  });
  if (found != clusters_.end()) (*found)->replace_backends(std::move(backends));
  crew_.when_caught_up(std::move(on_adopted));
}

void Server::on_cluster_change(ClusterControl& cluster) {
  if (state_store_) state_store_->restore(*cluster.cluster());
  crew_.adopt(cluster);
  if (is_serving_) {
    health_checker_.watch(cluster.cluster(), cluster.config(), cluster.backends());
  } else {
    serve_when_resolved();
  }
}

void Server::on_transition(const Transition& transition) {
  process_log_.transition(transition);
  for (const auto& control : clusters_) {
    Cluster& cluster = *control->cluster();
    if (cluster.name() == transition.cluster) cluster.take_note(transition, loop_.now());
  }
  if (state_store_) state_store_->touch();
  if (observer_.on_transition) observer_.on_transition(transition);
  if (admin_) admin_->note(transition);
  if (transition.kind == Transition::Kind::health && transition.to == name(Health::unhealthy)) {
    close_sessions_of(transition.cluster, transition.backend);
  }
  if (transition.kind != Transition::Kind::breaker || !transition.retry_at) return;
  health_checker_.hasten(transition.cluster, transition.backend);
  cluster_timers_.await_half_open(*transition.retry_at);
}

void Server::close_sessions_of(const std::string& cluster, const std::string& backend) {
  for (const auto& control : clusters_) {
    const CloseOnUnhealthyConfig& config = control->config().close_on_unhealthy;
    if (control->config().name != cluster || !config.is_enabled) continue;
    const std::shared_ptr<Backend> found = control->cluster()->find(backend);
    if (found) crew_.close_sessions_of(found, config.over);
  }
}

void Server::keep_house() {
  logs_.tell();
  housekeeping_due_.start(kHousekeepingInterval);
}

void Server::begin_drain() {
  if (std::exchange(is_draining_, true)) return;
  process_log_.draining(process_limit_->active(), config_.drain_timeout);
  notifier_.stopping();
  if (!is_serving_) {
    finish();
    return;
  }
  crew_.drain([this] { finish(); });
  if (config_.drain_timeout) drain_due_.start(*config_.drain_timeout);
}

void Server::cut_sessions(EndReason reason, std::string_view why) {
  process_log_.cutting(process_limit_->active(), why);
  crew_.cut_sessions(reason);
}

void Server::finish() {
  admin_.reset();
  crew_.stop();
  if (state_store_) state_store_->close();
  logs_.end();
  descriptors_.remove_socket_files();
  process_log_.stopped();
  loop_.stop();
}

}  // namespace sluice
