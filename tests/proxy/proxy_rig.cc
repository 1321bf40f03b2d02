#include "proxy_rig.h"

#include <atomic>
#include <csignal>

#include "sluice/net/listener_socket.h"

namespace sluice {
namespace {

constexpr const char* kCluster = "web";

// The same clock as a loop's.
TimePoint now() { return TimePoint(std::chrono::steady_clock::now().time_since_epoch()); }

}  // namespace

void ProxyTest::SetUp() {
  // As main() does: splice(2) has no flag for it.
  std::signal(SIGPIPE, SIG_IGN);
  { const Loop first; }  // libuv opens descriptors of its own once
  files_ = count_open_files();
  listener_config.name = "front";
  listener_config.cluster = kCluster;
  settings.has_probes = false;
  settings.circuit_breaker.is_enabled = false;
  options.pipes_max = 8;
  options.seed = 1;
  options.keeps_records = true;
}

void ProxyTest::TearDown() {
  if (!workers_.empty()) check_that_nothing_is_left();
  stop();
  records_.clear();
  // Backends of other threads close theirs when they notice.
  EXPECT_TRUE(wait_until([this] { return count_open_files() == files_; }, seconds(5)))
      << describe_open_files();
}

void ProxyTest::check_that_nothing_is_left() {
  for (const auto& worker : workers_) worker->cut_sessions(EndReason::shutdown);
  EXPECT_TRUE(wait_until([this] { return process_limit->active() == 0; }));
  EXPECT_EQ(listener_->limit().active(), 0U);
  EXPECT_TRUE(wait_until([this] {
    uint32_t connections = 0;
    for (size_t i = 0; i < backend_settings_.size(); ++i) {
      connections += backend(i).active_connections();
    }
    return connections == 0;
  }));
}

void ProxyTest::add_backend(const Address& address, uint32_t priority) {
  backend_settings_.push_back({.name = address.to_string(),
                               .address = address,
                               .weight = 1,
                               .priority = priority,
                               .admin_state = AdminState::ready,
                               .health_check_port = std::nullopt});
}

Worker::Reports ProxyTest::reports() {
  return {.on_records =
              [this](std::vector<SessionRecord> batch) {
                const std::scoped_lock lock(mutex_);
                for (SessionRecord& record : batch) records_.push_back(std::move(record));
              },
          .on_notice =
              [this](const WorkerNotice& notice) {
                const std::scoped_lock lock(mutex_);
                notices_ += notice.why + "\n";
              }};
}

void ProxyTest::start(const Address& address) {
  process_limit = std::make_unique<ConnectionLimit>(process_connections_max);
  cluster_ = std::make_shared<Cluster>(
      kCluster, [](const Transition&) {}, Random(1), worker_count);
  snapshot_ = cluster_->apply(settings, backend_settings_, Arrival::cold_start, now());
  listener_config.addresses = {address};
  listener_ = std::make_shared<Listener>(listener_config, worker_count);

  ListenOptions listen_options;
  listen_options.tcp = listener_config.tcp;
  listen_options.backlog = listener_config.backlog;
  const size_t acceptors = has_one_acceptor ? 1 : worker_count;
  auto sockets = open_listener(address, acceptors, listen_options);
  ASSERT_TRUE(sockets) << sockets.error().message;
  front_ = address_of(sockets->front());
  std::vector<std::shared_ptr<UniqueFd>> shared;
  for (UniqueFd& socket : *sockets) {
    if (tamper_with_listener) tamper_with_listener(socket);
    shared.push_back(std::make_shared<UniqueFd>(std::move(socket)));
  }
  for (size_t i = 0; i < worker_count; ++i) {
    workers_.push_back(std::make_unique<Worker>(options, reports(), *process_limit));
    if (is_spread) workers_.back()->join(spread);
    workers_.back()->add_route(kCluster, snapshot_, backend_tcp, std::nullopt);
    if (has_one_acceptor && i > 0) continue;
    workers_.back()->add_listener(listener_, shared[i % shared.size()]);
  }
  for (const auto& worker : workers_) worker->start();
}

void ProxyTest::reload() {
  snapshot_ = cluster_->apply(settings, backend_settings_, Arrival::later, now());
  for (const auto& worker : workers_) {
    worker->post([&target = *worker, snapshot = cluster_->snapshot()] {
      target.adopt_snapshot(kCluster, snapshot);
    });
  }
}

void ProxyTest::stop() {
  for (const auto& worker : workers_) worker->stop();
  for (const auto& worker : workers_) worker->wait();
  workers_.clear();
}

Backend& ProxyTest::backend(size_t index) { return *shared_backend(index); }

std::shared_ptr<Backend> ProxyTest::shared_backend(size_t index) {
  for (const PriorityLevel& level : snapshot_->levels) {
    for (const auto& candidate : level.backends) {
      if (candidate->name() == backend_settings_.at(index).name) return candidate;
    }
  }
  throw std::out_of_range("no such backend");
}

uint64_t ProxyTest::connects(ConnectOutcome outcome, size_t index) {
  return backend(index).connects(outcome);
}

void ProxyTest::trip(Backend& backend) {
  Random random(1);
  for (uint32_t i = 0; i < settings.circuit_breaker.failure_threshold; ++i) {
    cluster_->record_connect(*snapshot_, backend, {.generation = backend.breaker().generation()},
                             ConnectOutcome::refused, now(), random);
  }
}

void ProxyTest::fail_probe(Backend& backend) {
  cluster_->record_probe(
      backend, {.began_at = now(), .passed = false, .result = "refused", .permit = std::nullopt},
      now());
  EXPECT_EQ(backend.health(), Health::unhealthy);
}

void ProxyTest::pass_probes(Backend& backend) {
  for (uint32_t i = 0; i < settings.health_thresholds.healthy; ++i) {
    cluster_->record_probe(
        backend, {.began_at = now(), .passed = true, .result = "passed", .permit = std::nullopt},
        now());
  }
  EXPECT_EQ(backend.health(), Health::healthy);
}

BreakerState ProxyTest::breaker_state(const Backend& backend, Duration ago) {
  return backend.breaker().state(now() - ago);
}

std::vector<SessionRecord> ProxyTest::records(size_t count, Duration patience) {
  EXPECT_TRUE(wait_until([&] { return record_count() >= count; }, patience))
      << record_count() << " records instead of " << count;
  const std::scoped_lock lock(mutex_);
  return records_;
}

size_t ProxyTest::record_count() {
  const std::scoped_lock lock(mutex_);
  return records_.size();
}

std::string ProxyTest::notices() {
  const std::scoped_lock lock(mutex_);
  return notices_;
}

void ProxyTest::stop_accepting() {
  std::atomic<size_t> stopped = 0;
  for (const auto& worker : workers_) worker->stop_accepting([&stopped] { ++stopped; });
  EXPECT_TRUE(wait_until([&] { return stopped == workers_.size(); }));
  for (const auto& worker : workers_) {
    worker->when_idle([this] {
      const std::scoped_lock lock(mutex_);
      ++idle_reports_;
    });
  }
}

size_t ProxyTest::idle_reports() {
  const std::scoped_lock lock(mutex_);
  return idle_reports_;
}

}  // namespace sluice
