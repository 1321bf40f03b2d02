// Limits and the queue, hammered from many threads. The test counts for itself; run it under
// ThreadSanitizer too.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "support.h"

namespace sluice {
namespace {

// The test's own books: how many there are, and the most there ever were.
class Count {
 public:
  void add() {
    const int64_t count = count_.fetch_add(1) + 1;
    int64_t most = most_.load();
    while (count > most && !most_.compare_exchange_weak(most, count)) {
    }
  }
  void remove() { count_.fetch_sub(1); }
  int64_t most() const { return most_; }

 private:
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> most_{0};
};

class LimitsThreads : public ::testing::Test {
 protected:
  static constexpr size_t kBackends = 3;

  void apply(ConnectionLimits limits) {
    ClusterSettings settings = steady_settings();
    settings.limits = limits;
    settings.circuit_breaker.failure_threshold = 3;
    settings.circuit_breaker.recovery_timeout = milliseconds(1);
    settings.circuit_breaker.max_recovery_timeout = milliseconds(1);
    snapshot =
        cluster->apply(settings, backend_settings_of(kBackends), Arrival::cold_start, kStart);
  }

  size_t index_of(const Backend& backend) const {
    size_t index = 0;
    while (snapshot->levels[0].backends[index].get() != &backend) ++index;
    return index;
  }

  // Sessions with every kind of end, as many at a time as the limits allow.
  void work(size_t thread, int sessions) {
    Random random(thread);
    Picker picker(snapshot, Random(thread + 100));
    std::vector<Lease> held;
    const auto end_one = [&](size_t index) {
      per_backend[index_of(*held[index].backend())].remove();
      in_all.remove();
      held.erase(held.begin() + static_cast<long>(index));
    };
    for (int i = 0; i < sessions; ++i) {
      const TimePoint now(Duration(clock.fetch_add(10'000)));
      auto lease = picker.pick({.tried = {}, .now = now, .client = {}});
      if (lease) {
        in_all.add();
        per_backend[index_of(*lease->backend())].add();
        const uint64_t dice = random.below(10);
        if (dice < 7) lease->settle(ConnectOutcome::connected, now, random);
        if (dice == 7) lease->settle(ConnectOutcome::refused, now, random);
        held.push_back(std::move(*lease));
      } else {
        ++refused;
      }
      if (!held.empty() && (!lease || random.below(3) == 0)) end_one(random.below(held.size()));
    }
    while (!held.empty()) end_one(0);
  }

  std::atomic<int64_t> clock{kStart.time_since_epoch().count()};
  std::atomic<int> refused{0};
  Count in_all;
  std::array<Count, kBackends> per_backend;
  std::shared_ptr<Cluster> cluster = std::make_shared<Cluster>(
      "web", [](const Transition&) {}, Random(2));
  std::shared_ptr<const ClusterSnapshot> snapshot;
};

TEST_F(LimitsThreads, no_limit_is_exceeded_by_one) {
  apply({.of_cluster = 10, .of_backend = 4});
  run_threads([&](size_t thread) { work(thread, 100'000); });
  EXPECT_EQ(in_all.most(), 10);
  for (const Count& count : per_backend) EXPECT_EQ(count.most(), 4);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(cluster->active_connections(), 0U);
  for (const auto& backend : snapshot->levels[0].backends) {
    EXPECT_EQ(backend->active_connections(), 0U);
  }
}

// The same load and the same books: what the test before would see without the guard.
TEST_F(LimitsThreads, without_limits_the_same_load_exceeds_them) {
  apply({});
  run_threads([&](size_t thread) { work(thread, 20'000); });
  EXPECT_GT(in_all.most(), 10);
  EXPECT_GT(std::max({per_backend[0].most(), per_backend[1].most(), per_backend[2].most()}), 4);
}

// A client with a thread of its own, called through a flag as a worker is through its mailbox.
class WaitingClient {
 public:
  explicit WaitingClient(Cluster& cluster) : queue_(cluster.pending()) {}

  // Waits until `try_once` says yes; false when nobody has called it for far too long.
  bool get_place(const std::function<bool()>& try_once) {
    const auto entry = queue_.enter(call_, kThreads);
    if (!entry) return false;
    bool is_its_turn = entry->is_its_turn;
    while (true) {
      while (is_its_turn) {
        const uint64_t calls = queue_.calls();
        if (try_once()) {
          queue_.leave(entry->ticket);
          return true;
        }
        is_its_turn = !queue_.rest(entry->ticket, calls);
      }
      if (!wait_for_call()) {
        queue_.leave(entry->ticket);
        return false;
      }
      is_its_turn = true;
    }
  }

 private:
  bool wait_for_call() {
    std::unique_lock lock(mutex_);
    const bool was_called = has_call_.wait_for(lock, seconds(20), [this] { return is_called_; });
    is_called_ = false;
    return was_called;
  }

  PendingQueue& queue_;
  std::mutex mutex_;
  std::condition_variable has_call_;
  bool is_called_ = false;
  const PendingQueue::Call call_ = [this](PendingQueue::Ticket) {
    const std::scoped_lock lock(mutex_);
    is_called_ = true;
    has_call_.notify_one();
  };
};

// No release wakes a waiter but through the queue: a call that was lost shows as a wait without
// end.
TEST_F(LimitsThreads, nobody_waits_for_ever_while_a_place_is_free) {
  constexpr int kSessions = 3000;
  apply({.of_cluster = 3, .of_backend = 2});
  std::atomic<int> served{0}, stuck{0};
  run_threads([&](size_t thread) {
    Random random(thread);
    Picker picker(snapshot, Random(thread + 100));
    WaitingClient client(*cluster);
    for (int i = 0; i < kSessions && stuck == 0; ++i) {
      std::optional<Lease> lease;
      const auto try_once = [&] {
        auto picked = picker.pick({.tried = {}, .now = kStart, .client = {}});
        if (picked) lease = std::move(*picked);
        return picked.has_value();
      };
      if ((cluster->pending().waiting() > 0 || !try_once()) && !client.get_place(try_once)) {
        ++stuck;
        return;
      }
      in_all.add();
      lease->settle(ConnectOutcome::connected, kStart, random);
      if (random.below(4) == 0) std::this_thread::yield();
      in_all.remove();
      ++served;
    }
  });
  EXPECT_EQ(stuck, 0) << cluster->active_connections() << " connections, "
                      << cluster->pending().waiting() << " waiting";
  EXPECT_EQ(served, static_cast<int>(kThreads) * kSessions);
  EXPECT_LE(in_all.most(), 3);
  EXPECT_EQ(cluster->pending().waiting(), 0U);
}

}  // namespace
}  // namespace sluice
