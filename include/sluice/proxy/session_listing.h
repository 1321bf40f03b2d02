// Finds the youngest of a worker's sessions that match, and counts those that do. Everyone is
// looked at, a few hundred in a turn of the loop: other work comes in between, and with 100,000
// sessions the answer takes a fraction of a second. Whoever was there all the time is looked at
// once.
//
// Used on the worker's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "sluice/base/time.h"
#include "sluice/net/loop.h"
#include "sluice/proxy/live_session.h"
#include "sluice/proxy/session_table.h"

namespace sluice {

class SessionListing {
 public:
  using OnListed = std::function<void(std::vector<LiveSessions>)>;

  // What one turn may look at; empty slots cost next to nothing.
  static constexpr size_t kSessionsPerTurnMax = 500;
  static constexpr size_t kSlotsPerTurnMax = 20'000;

  // `sessions` outlives it.
  SessionListing(Loop& loop, const SessionTable& sessions);

  // An answer for each of `queries`, in a later turn if there are many sessions. One at a time: who
  // asks anew wants no more what is under way, and is not told of it.
  void list(std::vector<SessionQuery> queries, OnListed on_listed);

 private:
  struct Search {
    explicit Search(SessionQuery its_query) : query(std::move(its_query)) {}
    void look_at(const Session& session);
    // Leaves the youngest that were asked for.
    void keep_youngest();

    SessionQuery query;
    std::vector<SessionId> found;  // bounded: see keep_youngest()
    size_t matching = 0;
    size_t following = 0;  // those of them behind query.after
  };

  void step();
  // Whether all have been looked at, and told of.
  bool look_on();
  bool tell_on();
  LiveSessions tell_of(Search& search) const;

  const SessionTable& sessions_;
  std::vector<Search> searches_;
  std::vector<LiveSessions> told_;  // of as many searches
  OnListed on_listed_;              // null: nobody asks
  size_t next_slot_ = 0;
  bool has_looked_ = false;  // at all of them
  Timer next_step_;
};

}  // namespace sluice
