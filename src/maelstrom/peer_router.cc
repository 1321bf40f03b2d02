#include "maelstrom/peer_router.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace sluice {

struct PeerRouter::Request {
  // A place among those who wait for a free peer.
  struct Pending {
    PendingQueue::Ticket ticket;
    TimePoint since;
    Agenda::Place deadline;
  };

  std::string client;
  int64_t msg_id;
  std::string members;
  TimePoint gives_up_at;  // the client does, or nearly
  TimePoint deadline;     // of all attempts together
  TriedBackends tried{};
  // They outlive a change of the list, so that no other one is taken for one of them.
  std::vector<std::shared_ptr<Backend>> tried_owned{};
  Lease lease{};  // of the attempt under way
  TimePoint attempt_began{};
  std::optional<Pending> pending = std::nullopt;
  bool may_be_done = false;  // somebody has got it and did not say no

  Asker asker() const { return {.source = client, .msg_id = msg_id}; }
  TimePoint last_moment() const { return std::min(gives_up_at, deadline); }
};

PeerRouter::PeerRouter(const Names& nodes, NodeCluster& peers, Calls& calls, Agenda& agenda,
                       MessageWriter& writer, Random random)
    : nodes_(nodes),
      peers_(peers),
      calls_(calls),
      agenda_(agenda),
      writer_(writer),
      random_(random),
      call_([this](PendingQueue::Ticket ticket) { called_.push_back(ticket); }) {}

// The queue would go on calling.
PeerRouter::~PeerRouter() {
  for (const auto& [ticket, request] : pending_) queue().leave(ticket);
}

void PeerRouter::forward(const Asker& asker, std::string members, TimePoint now) {
  // Nobody would be answered, and to ask a peer changes nothing.
  if (!asker.msg_id) return;
  if (!calls_.may_call() || *held_bytes_ + members.size() > kHeldBytesMax) {
    return writer_.error(asker, {static_cast<int64_t>(ErrorCode::unavailable),
                                 "too many requests wait for their answers"});
  }
  *held_bytes_ += members.size();
  const RequestPtr request(new Request{.client = std::string(asker.source),
                                       .msg_id = *asker.msg_id,
                                       .members = std::move(members),
                                       .gives_up_at = now + kPatience,
                                       .deadline = now + peers_.settings().connect_deadline},
                           [held_bytes = held_bytes_](Request* ended) {
                             *held_bytes -= ended->members.size();
                             delete ended;
                           });
  try_next(request, now);
}

// Until an attempt is under way, there is something to wait for, or it is over.
void PeerRouter::try_next(const RequestPtr& request, TimePoint now) {
  while (try_once(request, now)) {
  }
}

// Whether to try again at once. Who has just come does not go before those who wait: a place that
// becomes free is taken by the first of them in the same turn.
bool PeerRouter::try_once(const RequestPtr& request, TimePoint now) {
  const bool is_out_of_attempts = request->tried.size() >= peers_.settings().connect_attempts;
  if (is_out_of_attempts || now >= request->last_moment() || !calls_.may_call()) {
    refuse(request, "no peer answered");
    return false;
  }
  auto lease = peers_.pick(request->tried, request->client, now);
  if (!lease) {
    if (lease.error() == Picker::Refusal::at_limit) return wait_for_place(request, now);
    refuse(request, "no peer may be tried");
    return false;
  }
  leave_queue(request, now);
  if (!nodes_.contains(lease->backend()->name())) {
    answer_here(*request, std::move(*lease));
    return false;
  }
  begin_attempt(request, std::move(*lease), now);
  return false;
}

// It was not tried, so nothing is known of it: the permit goes back without a verdict.
void PeerRouter::answer_here(Request& request, Lease lease) {
  lease.release();
  writer_.reply(request.asker(), "echo", request.members);
}

void PeerRouter::begin_attempt(const RequestPtr& request, Lease lease, TimePoint now) {
  const std::shared_ptr<Backend> peer = lease.backend();
  request->tried.push_back(peer.get());
  request->tried_owned.push_back(peer);
  request->lease = std::move(lease);
  request->attempt_began = now;
  const TimePoint attempt_deadline =
      std::min(now + peers_.settings().connect_timeout, request->last_moment());
  calls_.call(peer->name(), "echo", request->members, attempt_deadline,
              [this, request](const Message* answer, TimePoint ended) {
                end_attempt(request, answer, ended);
              });
}

void PeerRouter::end_attempt(const RequestPtr& request, const Message* answer, TimePoint now) {
  const ConnectOutcome outcome = judge(*request, answer, now);
  request->lease.settle(outcome, now, random_);
  request->lease.release();
  if (outcome != ConnectOutcome::connected) try_next(request, now);
}

// How the attempt went as a connect; an answer that settles the request is passed on.
ConnectOutcome PeerRouter::judge(Request& request, const Message* answer, TimePoint now) {
  if (answer == nullptr) {
    request.may_be_done = true;
    // Cut short by the deadline of all attempts, or by the end, it was not given its time.
    const bool had_its_time = now - request.attempt_began >= peers_.settings().connect_timeout;
    return had_its_time && !calls_.has_ended() ? ConnectOutcome::timeout
                                               : ConnectOutcome::abandoned;
  }
  const BodyField* payload = answer->find("echo");
  if (answer->type == "echo_ok" && payload != nullptr) {
    std::string members = R"(,"echo":)";
    append_minified(members, payload->text);
    writer_.reply(request.asker(), "echo", members);
    return ConnectOutcome::connected;
  }
  const auto code = answer->integer("code");
  if (answer->type != "error" || !code) {
    request.may_be_done = true;
    return ConnectOutcome::reset;  // it does not speak our language
  }
  if (*code == static_cast<int64_t>(ErrorCode::unavailable)) return ConnectOutcome::refused;
  writer_.error(request.asker(), {*code, std::string(answer->string("text").value_or(""))});
  return ConnectOutcome::connected;
}

void PeerRouter::refuse(const RequestPtr& request, std::string_view why) {
  const auto code = request->may_be_done ? ErrorCode::timeout : ErrorCode::unavailable;
  writer_.error(request->asker(), {static_cast<int64_t>(code), std::string(why)});
  leave_queue(request, TimePoint());
}

// True when it must try again: a place may have become free before it was there.
bool PeerRouter::wait_for_place(const RequestPtr& request, TimePoint now) {
  if (!request->pending) return enter_queue(request, now);
  queue().rest(request->pending->ticket, queue().calls());
  return false;
}

// Waits for a place at one of the peers, or is refused when too many do already. True when it has
// nobody before it and must try at once.
bool PeerRouter::enter_queue(const RequestPtr& request, TimePoint now) {
  const PendingSettings& settings = peers_.settings().pending;
  const auto entry = queue().enter(call_, settings.clients_max);
  if (!entry) {
    refuse(request, "all peers that may be tried have as many requests as they may");
    return false;
  }
  const TimePoint until = std::min(now + settings.timeout, request->gives_up_at);
  const auto deadline = agenda_.add(until, [this, request](TimePoint) {
    refuse(request, "all peers that may be tried had as many requests as they may");
  });
  request->pending = Request::Pending{.ticket = entry->ticket, .since = now, .deadline = deadline};
  pending_.emplace(entry->ticket, request);
  return entry->is_its_turn;
}

// The time spent in the queue is not taken from the attempts.
void PeerRouter::leave_queue(const RequestPtr& request, TimePoint now) {
  if (!request->pending) return;
  const Request::Pending left = *std::exchange(request->pending, std::nullopt);
  request->deadline += std::max(now - left.since, Duration::zero());
  agenda_.cancel(left.deadline);
  pending_.erase(left.ticket);
  queue().leave(left.ticket);
}

void PeerRouter::serve_called(TimePoint now) {
  // Ends: who was called gets a place, gives up or rests, and is called again for another place
  // only.
  while (!called_.empty()) {
    const PendingQueue::Ticket ticket = called_.front();
    called_.pop_front();
    const auto found = pending_.find(ticket);
    if (found == pending_.end()) continue;
    const RequestPtr request = found->second;
    try_next(request, now);
  }
}

void PeerRouter::end(TimePoint now) {
  std::vector<RequestPtr> waiting;
  for (const auto& [ticket, request] : pending_) waiting.push_back(request);
  std::ranges::sort(waiting, {},
                    [](const RequestPtr& request) { return request->pending->ticket; });
  for (const RequestPtr& request : waiting) try_next(request, now);
}

}  // namespace sluice
