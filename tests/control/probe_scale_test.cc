// A thousand backends probed for real, judged by when each of them saw a connection; and, when
// SLUICE_PROBE_SCALE is set, twenty thousand of them. How long a turn of the loop holds it up is
// measured in the thread's own processor time, which does not grow when the machine is busy.
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "sluice/control/health_checker.h"
#include "sluice/net/socket_address.h"
#include "sockets.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What a turn of the control loop may take.
constexpr Duration kTurnMax = milliseconds(10);
// On a machine where a timer is usually later than that, other programs decide when probes go.
constexpr Duration kLagMax = milliseconds(3);

Duration processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

TimePoint read_clock() { return TimePoint(std::chrono::nanoseconds(uv_hrtime())); }

// Many backends on one port, each with a loopback address of its own: one thread accepts for all
// of them, notes for whom and when the connection came, and hangs up. When is the kernel's word, so
// that the thread itself may be late.
class Backends {
 public:
  explicit Backends(size_t count) : arrivals_(count) {
    // On every loopback address, and on no other.
    listening_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::setsockopt(listening_.get(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) != 0) return;
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
      tcp_info info{};
      socklen_t info_size = sizeof info;
      ::getsockopt(client.get(), IPPROTO_TCP, TCP_INFO, &info, &info_size);
      const TimePoint came_at = read_clock() - milliseconds(info.tcpi_last_ack_recv);
      ::getsockname(client.get(), reinterpret_cast<sockaddr*>(&own), &size);
      const uint32_t host = ntohl(own.sin_addr.s_addr) & 0xFFFFFFU;
      const size_t index = host - (uint32_t{1} << 16U) - 1;
      if (index < arrivals_.size()) arrivals_[index].push_back(came_at);
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

  std::vector<Duration> take() { return std::move(lags_); }

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

struct Quantiles {
  explicit Quantiles(std::vector<Duration> values) {
    std::sort(values.begin(), values.end());
    median = values[values.size() / 2];
    most = values[values.size() - 1 - values.size() / 1000];
    worst = values.back();
  }
  void print(const char* name) const {
    const auto us = [](Duration span) { return static_cast<long long>(span.count() / 1000); };
    std::printf("%s: median %lld us, 99.9 %% %lld us, worst %lld us\n", name, us(median), us(most),
                us(worst));
  }

  Duration median, most, worst;
};

struct Judgement {
  size_t arrivals = 0;
  size_t fewest = SIZE_MAX;         // at one backend
  Duration first_late{};            // the last to get its first probe, after the start
  Duration worst{};                 // how far a gap lies outside interval ± jitter
  std::array<size_t, 10> tenths{};  // arrivals in each tenth of an interval, over several
};

Judgement judge(const Backends& backends, TimePoint start, TimePoint end,
                const HealthCheckConfig& check) {
  Judgement result;
  const auto slack = std::chrono::duration_cast<Duration>(check.interval * check.jitter / 100.0);
  for (const std::vector<TimePoint>& times : backends.arrivals()) {
    result.arrivals += times.size();
    result.fewest = std::min(result.fewest, times.size());
    if (!times.empty()) result.first_late = std::max(result.first_late, times[0] - start);
  }
  // While the wave of first probes is on, second ones queue up behind it.
  const TimePoint settled_at = start + 3 * result.first_late + check.interval / 10;
  for (const std::vector<TimePoint>& times : backends.arrivals()) {
    for (size_t i = 1; i < times.size(); ++i) {
      if (times[i - 1] < settled_at) continue;
      const Duration gap = times[i] - times[i - 1];
      result.worst = std::max({result.worst, gap - check.interval - slack,
                               i > 1 ? check.interval - slack - gap : Duration{}});
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

  // Probes them all for that many intervals.
  Judgement probe(Backends& backends, const HealthCheckConfig& check, int intervals) {
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
    std::vector<Duration> turns;
    while (end.is_running()) {
      const Duration before = processor_time();
      uv_run(loop_.raw(), UV_RUN_ONCE);
      turns.push_back(processor_time() - before);
    }
    const TimePoint ended = read_clock();
    backends.stop();
    spent_ = Duration{};
    for (const Duration turn : turns) spent_ += turn;
    turns_ = Quantiles(std::move(turns));
    lag_ = Quantiles(lag.take());
    return judge(backends, start, ended, check);
  }

  void print(const Judgement& result) const {
    std::printf("fewest %zu, last first probe after %lld ms, worst gap outside by %lld ms, tenths:",
                result.fewest, static_cast<long long>(to_ms(result.first_late)),
                static_cast<long long>(to_ms(result.worst)));
    for (const size_t count : result.tenths) std::printf(" %zu", count);
    std::printf("\n");
    lag_.print("timers late by");
    turns_.print("processor time of a turn");
    std::printf("%zu probes, %lld us of the loop's processor time each\n", result.arrivals,
                static_cast<long long>(spent_.count()) / 1000 /
                    static_cast<long long>(std::max<size_t>(1, result.arrivals)));
  }

  Loop loop_;
  Poller poller_{loop_};
  size_t not_healthy_ = 0;
  Quantiles lag_{{Duration{}}};
  Quantiles turns_{{Duration{}}};
  Duration spent_{};
};

HealthCheckConfig every(Duration interval) {
  HealthCheckConfig check;
  check.interval = check.unhealthy_interval = interval;
  check.timeout = seconds(20);
  return check;
}

// The bounds leave room for what the machine holds up, which the loop's timers tell. Without the
// schedule's spread one tenth has nearly all, and without its fixed rate the gaps leave the bounds.
TEST_F(ProbeScaleTest, a_thousand_backends_see_their_probes_on_time) {
  constexpr size_t kCount = 1000;
  constexpr int kIntervals = 4;
  Backends backends(kCount);
  if (!backends.is_listening()) GTEST_SKIP() << "cannot listen on all loopback addresses at once";
  const Judgement result = probe(backends, every(seconds(2)), kIntervals);
  print(result);
  EXPECT_EQ(not_healthy_, 0U);
  EXPECT_LE(turns_.worst, kTurnMax);
  if (lag_.median > kLagMax) GTEST_SKIP() << "the machine is too busy to judge times";
  EXPECT_GE(result.fewest, kIntervals - 1U) << "nobody starves";
  // A gap has two ends, and each may have been held up, here or where it arrived.
  EXPECT_LE(result.worst, milliseconds(50) + 4 * lag_.worst);
  size_t total = 0;
  for (const size_t count : result.tenths) total += count;
  EXPECT_GE(total, kCount * (kIntervals - 3));
  for (const size_t count : result.tenths) {
    EXPECT_GE(count, total / 40);
    EXPECT_LE(count, total / 4);
  }
}

TEST_F(ProbeScaleTest, twenty_thousand_backends_do_not_hold_up_the_loop) {
  if (std::getenv("SLUICE_PROBE_SCALE") == nullptr) {
    GTEST_SKIP() << "half a minute of most of a processor: set SLUICE_PROBE_SCALE=1";
  }
  constexpr size_t kCount = 20'000;
  constexpr int kIntervals = 6;
  Backends backends(kCount);
  ASSERT_TRUE(backends.is_listening());
  const Judgement result = probe(backends, every(seconds(5)), kIntervals);
  print(result);
  EXPECT_EQ(not_healthy_, 0U);
  EXPECT_LE(turns_.worst, kTurnMax);
  if (lag_.median > kLagMax) GTEST_SKIP() << "the machine is too busy to judge times";
  EXPECT_GE(result.fewest, kIntervals - 1U) << "nobody starves";
  EXPECT_LE(result.worst, milliseconds(50) + 4 * lag_.worst);
}

}  // namespace
}  // namespace sluice
