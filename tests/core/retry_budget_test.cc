#include "sluice/core/retry_budget.h"

#include "support.h"

namespace sluice {
namespace {

constexpr RetryBudgetSettings kFifth{.is_enabled = true, .percent = 20, .min = 2};

int retries_until_refused(RetryBudget& budget, const RetryBudgetSettings& settings, TimePoint now) {
  int retries = 0;
  for (; retries < 1000 && budget.allows_retry(settings, now); ++retries) budget.count_retry(now);
  return retries;
}

TEST(RetryBudget, a_few_are_always_allowed) {
  RetryBudget budget;
  EXPECT_EQ(retries_until_refused(budget, kFifth, kStart), 2);
}

TEST(RetryBudget, the_share_is_of_all_connects) {
  RetryBudget budget;
  for (int i = 0; i < 80; ++i) budget.count_first_attempt(kStart);
  EXPECT_EQ(retries_until_refused(budget, kFifth, kStart), 20) << "20 of 100";
}

TEST(RetryBudget, none_at_all_when_so_configured) {
  RetryBudget budget;
  for (int i = 0; i < 80; ++i) budget.count_first_attempt(kStart);
  EXPECT_EQ(retries_until_refused(budget, {.is_enabled = true, .percent = 0, .min = 0}, kStart), 0);
  EXPECT_EQ(retries_until_refused(budget, {.is_enabled = true, .percent = 100, .min = 0}, kStart),
            1000);
}

TEST(RetryBudget, what_is_older_than_ten_seconds_counts_no_more) {
  RetryBudget budget;
  for (int i = 0; i < 80; ++i) budget.count_first_attempt(kStart);
  EXPECT_EQ(retries_until_refused(budget, kFifth, kStart), 20);
  EXPECT_EQ(retries_until_refused(budget, kFifth, kStart + RetryBudget::kWindow), 2);
}

class PickerBudgetTest : public ClusterTest {
 protected:
  // Connects of a session that fail one after another, until it is refused.
  std::pair<int, Picker::Refusal> attempts_of_a_session(Picker& picker) {
    TriedBackends tried;
    while (true) {
      auto lease = picker.pick({.tried = tried, .now = now, .client = {}});
      if (!lease) return {static_cast<int>(tried.size()), lease.error()};
      tried.push_back(lease->backend().get());
      lease->settle(ConnectOutcome::refused, now, random);
      if (tried.size() == 3) return {3, Picker::Refusal::unavailable};
    }
  }
};

TEST_F(PickerBudgetTest, an_outage_is_not_multiplied) {
  for (const bool is_enabled : {false, true}) {
    settings.circuit_breaker.is_enabled = false;
    settings.retry_budget = {.is_enabled = is_enabled, .percent = 20, .min = 5};
    apply(backend_settings_of(3));
    Picker picker(snapshot, random);
    int attempts = 0, over_budget = 0;
    for (int session = 0; session < 200; ++session) {
      const auto [made, refusal] = attempts_of_a_session(picker);
      attempts += made;
      over_budget += refusal == Picker::Refusal::over_budget;
    }
    if (is_enabled) {
      EXPECT_LE(attempts, 200 * 100 / 80 + 1);
      EXPECT_GE(attempts, 200 * 100 / 80 - 1) << "and what is allowed is used";
      EXPECT_GT(over_budget, 100);
    } else {
      EXPECT_EQ(attempts, 600) << "the control: each session tries three";
      EXPECT_EQ(over_budget, 0);
    }
  }
}

TEST_F(PickerBudgetTest, attempt_that_a_shortage_of_our_own_postponed_counts_once) {
  for (const bool says_so : {true, false}) {
    cluster = std::make_shared<Cluster>(
        "web", [](const Transition&) {}, Random(2));
    settings.retry_budget = {.is_enabled = true, .percent = 0, .min = 2};
    apply(backend_settings_of(3));
    Picker picker(snapshot, random);
    const TriedBackends tried{&backend(0)};
    int leases = 0;
    for (int i = 0; i < 20; ++i) {
      auto lease =
          picker.pick({.tried = tried, .now = now, .client = {}, .is_postponed = says_so && i > 0});
      if (lease) lease->settle(ConnectOutcome::local_error, now, random);
      leases += lease.has_value();
    }
    EXPECT_EQ(leases, says_so ? 20 : 2) << "the control: twenty attempts are twenty";
    const auto another = picker.pick({.tried = tried, .now = now, .client = {}});
    EXPECT_EQ(another.has_value(), says_so) << "of two";
    EXPECT_FALSE(picker.pick({.tried = tried, .now = now, .client = {}})) << "of two";
  }
}

}  // namespace
}  // namespace sluice
