#include "sluice/control/prober.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace sluice {
namespace {

constexpr std::string_view kPassed = "passed";
constexpr std::string_view kMismatch = "mismatch";
constexpr std::string_view kClosed = "closed";
// An answer that has not matched by then will not.
constexpr size_t kAnswerBytesMax = 64 * 1024;
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

Prober::Prober(Loop& loop, Poller& poller, Random random, std::shared_ptr<Cluster> cluster,
               std::shared_ptr<Backend> backend, const ClusterConfig& config,
               std::optional<uint16_t> port)
    : loop_(loop),
      poller_(poller),
      random_(random),
      cluster_(std::move(cluster)),
      backend_(std::move(backend)),
      config_(*config.health_check),
      tcp_(config.tcp),
      source_address_(config.source_address),
      target_(port && backend_->address().is_ip() ? backend_->address().with_port(*port)
                                                  : backend_->address()),
      is_traffic_address_(target_ == backend_->address()),
      next_(loop, [this] { phase_ == Phase::resting ? begin() : try_full_backlog_again(); }),
      timeout_(loop, [this] { on_timeout(); }),
      due_at_(loop.now()) {
  next_.start(Duration(0));
}

Prober::~Prober() {
  if (!permit_) return;
  ProbeReport report;
  report.began_at = began_at_;
  report.result = name(ConnectOutcome::abandoned);
  report.permit = permit_;
  report.is_inconclusive = true;
  cluster_->record_probe(*backend_, report, loop_.now());
}

Duration Prober::current_interval() const {
  const bool is_all_well = backend_->health() == Health::healthy && !has_failed_last_ &&
                           backend_->breaker().state(loop_.now()) == BreakerState::closed;
  return is_all_well ? config_.interval : std::min(config_.interval, config_.unhealthy_interval);
}

void Prober::schedule_next() {
  const Duration interval = random_.jittered(current_interval(), config_.jitter);
  if (std::exchange(is_first_, false)) {
    due_at_ += Duration(
        static_cast<Duration::rep>(random_.fraction() * static_cast<double>(interval.count())));
  } else {
    due_at_ += interval;
  }
  // A probe that took longer than the interval, or a loop that stood still, skips what it missed.
  due_at_ = std::max(due_at_, loop_.now());
  next_.start(due_at_ - loop_.now());
}

void Prober::hasten() {
  if (is_in_flight()) return;  // the next one is scheduled by what it finds
  const TimePoint soon = loop_.now() + random_.jittered(current_interval(), config_.jitter);
  if (soon >= due_at_) return;
  due_at_ = soon;
  next_.start(due_at_ - loop_.now());
}

void Prober::begin() {
  began_at_ = loop_.now();
  answer_.clear();
  sent_ = 0;
  if (is_traffic_address_) permit_ = cluster_->admit_probe(*backend_, began_at_);
  phase_ = Phase::connecting;
  timeout_.start(config_.timeout);
  ConnectStart start = start_connect(target_, source_address_, tcp_);
  fd_ = std::move(start.fd);
  if (start.error != 0) {
    finish(to_result(start.error));
  } else if (start.is_backlog_full) {
    // Nothing is under way to wait for, and it is no verdict either: a busy server may catch up.
    next_.start(kBacklogRetryDelay);
  } else {
    await_connection();
  }
}

void Prober::try_full_backlog_again() {
  const int error = connect_again(fd_.get(), target_);
  if (error == EAGAIN) {
    next_.start(kBacklogRetryDelay);
  } else if (error != 0) {
    finish(to_result(error));
  } else {
    await_connection();
  }
}

void Prober::await_connection() {
  if (!poller_.add(fd_.get(), *this, 0)) finish(name(ConnectOutcome::local_error));
}

void Prober::on_timeout() { finish(answer_.empty() ? name(ConnectOutcome::timeout) : kMismatch); }

void Prober::on_ready(unsigned, Readiness readiness) {
  switch (phase_) {
    case Phase::resting:
      return;
    case Phase::connecting:
      on_connecting(readiness);
      return;
    case Phase::sending:
      send_rest();
      return;
    case Phase::expecting:
      read_answer();
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
  } else if (config_.send.empty() && config_.expect.empty()) {
    finish(kPassed);
  } else {
    phase_ = Phase::sending;
    send_rest();
  }
}

void Prober::send_rest() {
  const std::string_view rest = std::string_view(config_.send).substr(sent_);
  const ssize_t written =
      rest.empty() ? 0 : ::send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
  if (written < 0 && errno != EAGAIN) {
    finish(to_result(errno));
    return;
  }
  if (written > 0) sent_ += static_cast<size_t>(written);
  if (sent_ < config_.send.size()) return;
  if (config_.expect.empty()) {
    finish(kPassed);
    return;
  }
  phase_ = Phase::expecting;
  read_answer();
}

void Prober::read_answer() {
  std::array<char, 4096> chunk;
  while (true) {
    const ssize_t bytes = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
    if (bytes < 0 && errno == EAGAIN) return;
    if (bytes < 0) {
      finish(answer_.empty() ? to_result(errno) : kMismatch);
      return;
    }
    if (bytes == 0) {
      finish(answer_.empty() ? kClosed : kMismatch);
      return;
    }
    answer_.append(chunk.data(), static_cast<size_t>(bytes));
    if (answer_.find(config_.expect) != std::string::npos) {
      finish(kPassed);
      return;
    }
    if (answer_.size() > kAnswerBytesMax) {
      finish(kMismatch);
      return;
    }
  }
}

void Prober::finish(std::string_view result) {
  timeout_.stop();
  fd_.reset();
  phase_ = Phase::resting;
  ProbeReport report;
  report.began_at = began_at_;
  report.passed = result == kPassed;
  report.result = result;
  report.permit = std::exchange(permit_, std::nullopt);
  report.is_inconclusive = result == name(ConnectOutcome::local_error);
  has_failed_last_ = !report.passed && !report.is_inconclusive;
  cluster_->record_probe(*backend_, report, loop_.now());
  schedule_next();
}

}  // namespace sluice
