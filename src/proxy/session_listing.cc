#include "sluice/proxy/session_listing.h"

#include <algorithm>
#include <utility>

#include "sluice/proxy/session.h"

namespace sluice {
namespace {

// Until a look goes on. (libuv runs a timer of zero in the same turn again.)
constexpr Duration kRestDelay = std::chrono::milliseconds(1);

bool is_wanted(std::string_view wanted, std::string_view name) {
  return wanted.empty() || wanted == name;
}

bool matches(const SessionQuery& query, const Session& session) {
  const ListenerConfig& config = session.listener().config();
  if (!is_wanted(query.listener, config.name)) return false;
  if (!is_wanted(query.cluster, config.cluster)) return false;
  if (query.backend.empty()) return true;
  const Backend* backend = session.last_backend();
  return backend != nullptr && backend->name() == query.backend;
}

}  // namespace

SessionListing::SessionListing(Loop& loop, const SessionTable& sessions)
    : sessions_(sessions), next_step_(loop, [this] { step(); }) {}

void SessionListing::list(std::vector<SessionQuery> queries, OnListed on_listed) {
  searches_.clear();
  for (SessionQuery& query : queries) searches_.emplace_back(std::move(query));
  told_.clear();
  on_listed_ = std::move(on_listed);
  next_slot_ = 0;
  has_looked_ = false;
  step();
}

void SessionListing::step() {
  next_step_.stop();
  has_looked_ = has_looked_ || look_on();
  if (!has_looked_ || !tell_on()) {
    next_step_.start(kRestDelay);
    return;
  }
  searches_.clear();
  std::exchange(on_listed_, nullptr)(std::exchange(told_, {}));
}

bool SessionListing::look_on() {
  size_t sessions_left = kSessionsPerTurnMax;
  const size_t stop = std::min(sessions_.slots(), next_slot_ + kSlotsPerTurnMax);
  for (; next_slot_ < stop && sessions_left > 0; ++next_slot_) {
    const Session* session = sessions_.at(next_slot_);
    if (session == nullptr) continue;
    --sessions_left;
    for (Search& search : searches_) search.look_at(*session);
  }
  return next_slot_ >= sessions_.slots();
}

void SessionListing::Search::look_at(const Session& session) {
  if (!matches(query, session)) return;
  ++matching;
  const SessionId id = session.id();
  if (query.after && !is_listed_before(*query.after, id)) return;
  ++following;
  if (query.count_max == 0) return;
  found.push_back(id);
  // Twice as many as wanted, so that thinning them out costs each of them little.
  if (found.size() >= 2 * query.count_max) keep_youngest();
}

void SessionListing::Search::keep_youngest() {
  if (found.size() <= query.count_max) return;
  const auto end = found.begin() + static_cast<std::ptrdiff_t>(query.count_max);
  std::nth_element(found.begin(), end - 1, found.end(), is_listed_before);
  found.erase(end, found.end());
}

// Each that was found takes a record: many of them a turn of their own.
bool SessionListing::tell_on() {
  size_t told = 0;
  while (told_.size() < searches_.size() && told < kSessionsPerTurnMax) {
    told_.push_back(tell_of(searches_[told_.size()]));
    told += told_.back().sessions.size();
  }
  return told_.size() == searches_.size();
}

LiveSessions SessionListing::tell_of(Search& search) const {
  search.keep_youngest();
  std::sort(search.found.begin(), search.found.end(), is_listed_before);
  LiveSessions list{.sessions = {},
                    .total = sessions_.size(),
                    .matching = search.matching,
                    .reaches_to = std::nullopt};
  if (search.following > search.found.size() && !search.found.empty()) {
    list.reaches_to = search.found.back();
  }
  list.sessions.reserve(search.found.size());
  for (const SessionId& id : search.found) {
    const Session* session = sessions_.find(id);
    if (session == nullptr) continue;  // it has ended since it was looked at
    list.sessions.push_back(
        {.id = id, .state = session->state_name(), .record = session->record()});
  }
  return list;
}

}  // namespace sluice
