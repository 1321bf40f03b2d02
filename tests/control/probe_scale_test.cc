// A thousand backends probed for real, judged by when each of them saw a connection; and, when
// SLUICE_PROBE_SCALE is set, twenty thousand of them, and how late the loop's timers are meanwhile.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "sluice/control/health_checker.h"
#include "sluice/net/socket_address.h"
#include "sockets.h"
#include "waiting.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TimePoint read_clock() { return TimePoint(std::chrono::nanoseconds(uv_hrtime())); }

// Many backends on one port, each with a loopback address of its own: one thread accepts for all
// of them, notes when and for whom, and hangs up.
class Backends {
 public:
  explicit Backends(size_t count) : arrivals_(count) {
    // On every loopback address, and on no other.
    listening_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::setsockopt(listening_.get(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 2);
    const SocketAddress any(*Address::parse("0.0.0.0:0"));
    if (::bind(listening_.get(), any.data(), any.size()) != 0) return;
    if (::listen(listening_.get(), 4096) != 0) return;
    port_ = address_of(listening_).port();
    thread_ = std::thread([this] { accept_all(); });
  }
  ~Backends() { stop(); }

  bool is_listening() const { return port_ != 0; }
  size_t count() const { return arrivals_.size(); }

  Address address(size_t index) const {
    const size_t host = index + 1;
    return Address::ipv4({127, static_cast<uint8_t>(1 + (host >> 16U)),
                          static_cast<uint8_t>(host >> 8U), static_cast<uint8_t>(host)},
                         port_);
  }

  void stop() {
    if (!thread_.joinable()) return;
    ::shutdown(listening_.get(), SHUT_RDWR);
    thread_.join();
  }

  // Of each; after stop().
  const std::vector<std::vector<TimePoint>>& arrivals() const { return arrivals_; }

 private:
  void accept_all() {
    while (true) {
      sockaddr_in own{};
      socklen_t size = sizeof own;
      const UniqueFd client(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      const TimePoint now = read_clock();
      ::getsockname(client.get(), reinterpret_cast<sockaddr*>(&own), &size);
      const uint32_t host = ntohl(own.sin_addr.s_addr) & 0xFFFFFFU;
      const size_t index = host - (uint32_t{1} << 16U) - 1;
      if (index < arrivals_.size()) arrivals_[index].push_back(now);
    }
  }

  UniqueFd listening_;
  uint16_t port_ = 0;
  std::vector<std::vector<TimePoint>> arrivals_;
  std::thread thread_;
};

// How late a timer of the loop is, looked at every few milliseconds.
class LagMeter {
 public:
  explicit LagMeter(Loop& loop) : loop_(loop), timer_(loop, [this] { look(); }) { start(); }

  // The largest of all but the given share.
  Duration quantile(double share) {
    std::sort(lags_.begin(), lags_.end());
    return lags_[static_cast<size_t>(static_cast<double>(lags_.size() - 1) * share)];
  }

 private:
  static constexpr Duration kEvery = milliseconds(2);

  void start() {
    due_at_ = loop_.now() + kEvery;
    timer_.start(kEvery);
  }
  void look() {
    lags_.push_back(read_clock() - due_at_);
    start();
  }

  Loop& loop_;
  Timer timer_;
  TimePoint due_at_{};
  std::vector<Duration> lags_;
};

struct Judgement {
  size_t fewest = SIZE_MAX;  // arrivals at one backend
  Duration first_late{};     // the last to get its first probe, after the start
  Duration worst{};          // how far a gap lies outside interval ± jitter
  size_t out_of_bounds = 0;  // gaps that lie outside by more than the allowance
  size_t gaps = 0;
  std::array<size_t, 10> tenths{};  // arrivals in each tenth of an interval, over several
};

Judgement judge(const Backends& backends, TimePoint start, TimePoint end,
                const HealthCheckConfig& check, Duration allowance) {
  Judgement result;
  const auto slack = std::chrono::duration_cast<Duration>(check.interval * check.jitter / 100.0);
  for (const std::vector<TimePoint>& times : backends.arrivals()) {
    result.fewest = std::min(result.fewest, times.size());
    if (!times.empty()) result.first_late = std::max(result.first_late, times[0] - start);
    for (size_t i = 1; i < times.size(); ++i) {
      const Duration gap = times[i] - times[i - 1];
      Duration outside = gap - check.interval - slack;
      // The second comes after a random part of the interval.
      if (i > 1) outside = std::max(outside, check.interval - slack - gap);
      result.worst = std::max(result.worst, outside);
      result.out_of_bounds += outside > allowance;
      ++result.gaps;
    }
    for (const TimePoint at : times) {
      if (at < start + 2 * check.interval || at > end) continue;
      ++result.tenths[static_cast<size_t>((at - start) % check.interval * 10 / check.interval)];
    }
  }
  return result;
}

class ProbeScaleTest : public testing::Test {
 protected:
  void SetUp() override {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }

  // Probes them all for that many intervals, and some to see the last ones arrive.
  Judgement probe(Backends& backends, const HealthCheckConfig& check, int intervals,
                  Duration allowance) {
    ClusterConfig config;
    config.name = "many";
    config.health_check = check;
    std::vector<BackendSettings> settings(backends.count());
    for (size_t i = 0; i < settings.size(); ++i) {
      settings[i].address = backends.address(i);
      settings[i].name = settings[i].address.to_string();
    }
    const auto cluster = std::make_shared<Cluster>(
        "many", [this](const Transition& change) { not_healthy_ += change.to != "healthy"; },
        Random(1));
    cluster->apply(config.settings, settings, Arrival::cold_start, loop_.now());
    HealthChecker checker(loop_, poller_, Random(2));
    checker.watch(cluster, config, settings);
    uv_update_time(loop_.raw());
    const TimePoint start = read_clock();
    LagMeter lag(loop_);
    Timer end(loop_, [] {});
    end.start(check.interval * intervals);
    EXPECT_TRUE(run_until(
        loop_, [&] { return !end.is_running(); }, seconds(300)));
    const TimePoint ended = read_clock();
    backends.stop();
    lag_median_ = lag.quantile(0.5);
    lag_most_ = lag.quantile(0.999);
    lag_worst_ = lag.quantile(1);
    return judge(backends, start, ended, check, allowance);
  }

  void print(const Judgement& result) const {
    std::printf(
        "fewest %zu, last first probe after %lld ms, %zu of %zu gaps out of bounds, worst "
        "by %lld ms; lag: median %lld us, 99.9 %% %lld us, worst %lld us; tenths:",
        result.fewest, static_cast<long long>(to_ms(result.first_late)), result.out_of_bounds,
        result.gaps, static_cast<long long>(to_ms(result.worst)),
        static_cast<long long>(lag_median_.count() / 1000),
        static_cast<long long>(lag_most_.count() / 1000),
        static_cast<long long>(lag_worst_.count() / 1000));
    for (const size_t count : result.tenths) std::printf(" %zu", count);
    std::printf("\n");
  }

  Loop loop_;
  Poller poller_{loop_};
  size_t not_healthy_ = 0;
  Duration lag_median_{}, lag_most_{}, lag_worst_{};
};

HealthCheckConfig every(Duration interval) {
  HealthCheckConfig check;
  check.interval = check.unhealthy_interval = interval;
  check.timeout = seconds(20);
  return check;
}

// The bounds leave room for a machine that is busy with other things; without the schedule's spread
// one tenth has them all, and without its fixed rate the gaps leave the bounds.
TEST_F(ProbeScaleTest, a_thousand_backends_see_their_probes_on_time) {
  constexpr size_t kCount = 1000;
  constexpr int kIntervals = 5;
  Backends backends(kCount);
  ASSERT_TRUE(backends.is_listening());
  const HealthCheckConfig check = every(seconds(1));
  const Judgement result = probe(backends, check, kIntervals, milliseconds(50));
  print(result);
  EXPECT_EQ(not_healthy_, 0U);
  EXPECT_GE(result.fewest, kIntervals - 1U) << "nobody starves";
  EXPECT_LE(result.first_late, milliseconds(500));
  EXPECT_LE(result.out_of_bounds, result.gaps / 100);
  EXPECT_LE(result.worst, milliseconds(400));
  size_t total = 0;
  for (const size_t count : result.tenths) total += count;
  EXPECT_GE(total, kCount * (kIntervals - 3));
  for (const size_t count : result.tenths) {
    EXPECT_GE(count, total / 20);
    EXPECT_LE(count, total / 5);
  }
}

TEST_F(ProbeScaleTest, twenty_thousand_backends_do_not_hold_up_the_loop) {
  if (std::getenv("SLUICE_PROBE_SCALE") == nullptr) {
    GTEST_SKIP() << "takes half a minute of a quiet machine: set SLUICE_PROBE_SCALE=1";
  }
  constexpr size_t kCount = 20'000;
  constexpr int kIntervals = 6;
  Backends backends(kCount);
  ASSERT_TRUE(backends.is_listening());
  const Judgement result = probe(backends, every(seconds(5)), kIntervals, milliseconds(10));
  print(result);
  EXPECT_EQ(not_healthy_, 0U);
  EXPECT_GE(result.fewest, kIntervals - 1U) << "nobody starves";
  EXPECT_LE(result.out_of_bounds, result.gaps / 100);
  EXPECT_LE(lag_most_, milliseconds(10));
}

}  // namespace
}  // namespace sluice
