#include "sluice/control/prober.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace sluice {
namespace {

constexpr std::string_view kPassed = "passed";
constexpr std::string_view kMismatch = "mismatch";
constexpr std::string_view kClosed = "closed";
// How soon a unix backend with a full backlog is tried again.
constexpr Duration kBacklogRetryDelay = std::chrono::milliseconds(50);

std::string_view to_result(int error) {
  switch (classify_connect_error(error)) {
    case ConnectError::refused:
      return name(ConnectOutcome::refused);
    case ConnectError::timeout:
      return name(ConnectOutcome::timeout);
    case ConnectError::unreachable:
      return name(ConnectOutcome::unreachable);
    case ConnectError::reset:
      return name(ConnectOutcome::reset);
    case ConnectError::local:
      return name(ConnectOutcome::local_error);
  }
  return name(ConnectOutcome::local_error);
}

}  // namespace

Prober::Prober(Loop& loop, Poller& poller, ProbeSchedule& schedule,
               std::shared_ptr<Cluster> cluster, std::shared_ptr<Backend> backend,
               const ClusterConfig& config, std::optional<uint16_t> port,
               std::function<void(Prober&)> on_rested)
    : ProbeSlot(schedule),
      loop_(loop),
      poller_(poller),
      cluster_(std::move(cluster)),
      backend_(std::move(backend)),
      config_(*config.health_check),
      tcp_(config.tcp),
      source_address_(config.source_address),
      target_(port && backend_->address().is_ip() ? backend_->address().with_port(*port)
                                                  : backend_->address()),
      is_traffic_address_(target_ == backend_->address()),
      script_(make_probe_script(config_, target_)),
      on_rested_(std::move(on_rested)),
      timeout_(loop, [this] { on_timeout(); }) {}

Prober::~Prober() {
  if (!permit_) return;
  ProbeReport report;
  report.began_at = began_at_;
  report.result = name(ConnectOutcome::abandoned);
  report.permit = permit_;
  report.is_inconclusive = true;
  cluster_->record_probe(*backend_, report, loop_.now());
}

Duration Prober::wanted_interval() const {
  const ProbeIntervals intervals{.healthy = config_.interval,
                                 .unhealthy = config_.unhealthy_interval};
  return probe_interval(intervals, backend_->health(), has_failed_last_,
                        backend_->breaker().state(loop_.now()));
}

void Prober::begin() {
  began_at_ = loop_.now();
  if (is_traffic_address_) permit_ = cluster_->admit_probe(*backend_, began_at_);
  phase_ = Phase::connecting;
  timeout_.start(config_.timeout);
  ConnectStart start = start_connect(target_, source_address_, tcp_);
  fd_ = std::move(start.fd);
  if (start.error != 0) {
    finish(to_result(start.error));
  } else if (start.is_backlog_full) {
    // Nothing is under way to wait for, and it is no verdict either: a busy server may catch up.
    if (!backlog_retry_) backlog_retry_.emplace(loop_, [this] { try_full_backlog_again(); });
    backlog_retry_->start(kBacklogRetryDelay);
  } else {
    await_connection();
  }
}

void Prober::try_full_backlog_again() {
  const int error = connect_again(fd_.get(), target_);
  if (error == EAGAIN) {
    backlog_retry_->start(kBacklogRetryDelay);
  } else if (error != 0) {
    finish(to_result(error));
  } else {
    await_connection();
  }
}

void Prober::await_connection() {
  if (!poller_.add(fd_.get(), *this, 0)) finish(name(ConnectOutcome::local_error));
}

void Prober::on_timeout() {
  const bool is_wrong = dialogue_ && dialogue_->has_unmatched_answer();
  finish(is_wrong ? kMismatch : name(ConnectOutcome::timeout));
}

void Prober::on_ready(unsigned, Readiness readiness) {
  switch (phase_) {
    case Phase::resting:
      return;
    case Phase::connecting:
      on_connecting(readiness);
      return;
    case Phase::talking:
      talk();
      return;
  }
}

void Prober::on_connecting(Readiness readiness) {
  const ConnectProgress progress = connect_progress(fd_.get(), readiness);
  if (progress.state == ConnectProgress::State::under_way) return;
  if (progress.state == ConnectProgress::State::failed) {
    finish(to_result(progress.error));
  } else if (is_connected_to_itself(fd_.get(), target_)) {
    finish(name(ConnectOutcome::self_connect));
  } else {
    phase_ = Phase::talking;
    dialogue_.emplace(script_);
    talk();
  }
}

void Prober::talk() {
  bool may_go_on = true;
  while (may_go_on) {
    switch (dialogue_->state()) {
      case ProbeDialogue::State::passed:
        finish(kPassed);
        return;
      case ProbeDialogue::State::mismatch:
        finish(kMismatch);
        return;
      case ProbeDialogue::State::sending:
        may_go_on = send_some();
        break;
      case ProbeDialogue::State::expecting:
        may_go_on = receive_some();
        break;
    }
  }
}

bool Prober::send_some() {
  const std::string_view rest = dialogue_->to_send();
  const ssize_t bytes = ::send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
  if (bytes < 0) {
    if (errno != EAGAIN) finish(to_result(errno));
    return false;
  }
  dialogue_->sent(static_cast<size_t>(bytes));
  return true;
}

bool Prober::receive_some() {
  std::array<char, 4096> chunk;
  const ssize_t bytes = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
  if (bytes > 0) {
    dialogue_->received({chunk.data(), static_cast<size_t>(bytes)});
    return true;
  }
  if (bytes < 0 && errno == EAGAIN) return false;
  if (dialogue_->has_unmatched_answer()) {
    finish(kMismatch);
  } else {
    finish(bytes == 0 ? kClosed : to_result(errno));
  }
  return false;
}

void Prober::finish(std::string_view result) {
  timeout_.stop();
  if (backlog_retry_) backlog_retry_->stop();
  fd_.reset();
  dialogue_.reset();
  phase_ = Phase::resting;
  ProbeReport report;
  report.began_at = began_at_;
  report.passed = result == kPassed;
  report.result = result;
  report.permit = std::exchange(permit_, std::nullopt);
  report.is_inconclusive = result == name(ConnectOutcome::local_error);
  has_failed_last_ = !report.passed && !report.is_inconclusive;
  cluster_->record_probe(*backend_, report, loop_.now());
  on_rested_(*this);
}

}  // namespace sluice
