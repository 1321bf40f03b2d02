// Lists of several workers' sessions, put together page by page.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "sluice/proxy/live_session.h"

namespace sluice {
namespace {

constexpr auto kIsBefore = [](const SessionId& a, const SessionId& b) {
  return is_listed_before(a, b);
};

using Ids = std::vector<SessionId>;

// What a worker with these sessions tells, by the rules that LiveSessions gives; `ended` is one
// that ends between being found and being told of.
LiveSessions tell(Ids ids, size_t count_max, const std::optional<SessionId>& after,
                  const std::optional<SessionId>& ended) {
  LiveSessions list{.sessions = {}, .total = ids.size(), .matching = ids.size(), .reaches_to = {}};
  std::sort(ids.begin(), ids.end(), kIsBefore);
  if (after) std::erase_if(ids, [&](const SessionId& id) { return !kIsBefore(*after, id); });
  if (ids.size() > count_max) {
    ids.resize(count_max);
    list.reaches_to = ids.back();
  }
  for (const SessionId& id : ids) {
    if (id != ended) list.sessions.push_back({.id = id, .state = {}, .record = {}});
  }
  return list;
}

class SessionPages : public testing::Test {
 protected:
  uint32_t below(size_t bound) { return static_cast<uint32_t>(random_() % bound); }
  // Many of them in the same millisecond.
  void make_sessions() {
    workers_.assign(1 + below(4), {});
    for (uint32_t worker = 0; worker < workers_.size(); ++worker) {
      const uint32_t count = below(40);
      for (uint32_t slot = 0; slot < count; ++slot) {
        workers_[worker].push_back({worker, below(20), slot});
      }
    }
  }
  Ids all() const {
    Ids all;
    for (const Ids& ids : workers_) all.insert(all.end(), ids.begin(), ids.end());
    std::sort(all.begin(), all.end(), kIsBefore);
    return all;
  }
  std::optional<SessionId> any_of(const Ids& ids) {
    return ids.empty() ? std::nullopt : std::optional(ids[below(ids.size())]);
  }

  const unsigned seed_ = std::random_device{}();
  std::mt19937 random_{seed_};
  std::vector<Ids> workers_;
};

TEST_F(SessionPages, together_they_are_all_sessions_of_all_workers_in_order) {
  SCOPED_TRACE(seed_);
  for (int round = 0; round < 200; ++round) {
    make_sessions();
    const size_t count_max = 1 + below(15);
    Ids seen;
    std::optional<SessionId> after;
    do {
      LiveSessions page;
      for (const Ids& ids : workers_) {
        merge_into(page, tell(ids, count_max, after, std::nullopt), count_max);
      }
      ASSERT_LE(page.sessions.size(), count_max);
      ASSERT_EQ(page.total, all().size());
      ASSERT_EQ(page.matching, all().size());
      for (const LiveSession& session : page.sessions) seen.push_back(session.id);
      ASSERT_TRUE(!page.reaches_to || page.reaches_to == seen.back()) << "the next page has a gap";
      after = page.reaches_to;
    } while (after);
    ASSERT_EQ(seen, all()) << "in round " << round;
  }
}

TEST_F(SessionPages, nobody_who_stays_is_missed_where_others_end_while_they_are_listed) {
  SCOPED_TRACE(seed_);
  for (int round = 0; round < 200; ++round) {
    make_sessions();
    const size_t count_max = 1 + below(15);
    Ids seen;
    std::optional<SessionId> after;
    do {
      LiveSessions page;
      for (Ids& ids : workers_) {
        const std::optional<SessionId> ended = any_of(ids);
        merge_into(page, tell(ids, count_max, after, ended), count_max);
        std::erase_if(ids, [&](const SessionId& id) { return id == ended; });
      }
      for (const LiveSession& session : page.sessions) seen.push_back(session.id);
      after = page.reaches_to;
    } while (after);
    ASSERT_TRUE(std::is_sorted(seen.begin(), seen.end(), kIsBefore)) << "in round " << round;
    const Ids stayed = all();
    ASSERT_TRUE(std::includes(seen.begin(), seen.end(), stayed.begin(), stayed.end(), kIsBefore))
        << "in round " << round;
  }
}

}  // namespace
}  // namespace sluice
