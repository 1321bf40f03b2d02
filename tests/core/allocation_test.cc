// Picking happens for every connection, so it must not allocate. Counts this thread's allocations
// by replacing the global operator new of this test program.
#include <cstdlib>
#include <new>

#include "support.h"

namespace {

thread_local size_t allocations = 0;

void* counted(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(size_t size) { return counted(size); }
void* operator new[](size_t size) { return counted(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace sluice {
namespace {

class AllocationTest : public ClusterTest, public ::testing::WithParamInterface<BalancePolicy> {
 protected:
  AllocationTest() {
    settings.balance.policy = GetParam();
    // Costs memory to the hashes, where it counts.
    settings.balance.max_load = 125;
    // More than least_connections looks at one by one.
    std::vector<BackendSettings> backends;
    for (size_t i = 0; i < 600; ++i) {
      backends.push_back(backend_settings(static_cast<uint8_t>(i % 200 + 1)));
      backends.back().name = std::to_string(i);
    }
    apply(backends);
  }

  template <typename Work>
  static size_t count_allocations(Work work) {
    const size_t before = allocations;
    work();
    return allocations - before;
  }
};

TEST_P(AllocationTest, counter_counts) {
  EXPECT_GE(count_allocations([] { std::make_unique<std::string>(100, 'x').reset(); }), 1U);
}

TEST_P(AllocationTest, pick_and_verdict_allocate_nothing) {
  Picker picker(snapshot, random);
  const TriedBackends tried{&backend(0), &backend(1)};
  const auto work = [&] {
    for (int i = 0; i < 1000; ++i) {
      const IpBytes client{.bytes = {10, 0, 0, static_cast<uint8_t>(i)}, .size = 4};
      auto lease = picker.pick({.tried = tried, .now = now, .client = client});
      lease->settle(ConnectOutcome::connected, now, random);
    }
  };
  EXPECT_EQ(count_allocations(work), 0U);
}

TEST_P(AllocationTest, refusal_by_all_allocates_nothing) {
  Picker picker(snapshot, random);
  for (size_t i = 0; i < 600; ++i) trip(backend(i));
  const TriedBackends tried{&backend(0)};
  const auto work = [&] {
    for (int i = 0; i < 100; ++i)
      EXPECT_FALSE(picker.pick({.tried = tried, .now = now, .client = {}}));
  };
  EXPECT_EQ(count_allocations(work), 0U);
}

INSTANTIATE_TEST_SUITE_P(policies, AllocationTest,
                         ::testing::Values(BalancePolicy::round_robin,
                                           BalancePolicy::least_connections, BalancePolicy::random,
                                           BalancePolicy::source_hash, BalancePolicy::maglev,
                                           BalancePolicy::first),
                         [](const auto& policy) { return std::string(name(policy.param)); });

}  // namespace
}  // namespace sluice
