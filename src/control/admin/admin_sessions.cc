#include "admin_sessions.h"

#include <algorithm>
#include <utility>

namespace sluice {

AdminSessions::AdminSessions(const AdminScope& scope)
    : scope_(scope),
      begin_due_(scope.loop, [this] { begin(); }),
      finish_due_(scope.loop, [this] { finish(); }) {}

void AdminSessions::list(size_t limit, HttpReply reply) {
  waiting_.push_back({std::min(limit, kLimitMax), std::move(reply)});
  schedule();
}

void AdminSessions::schedule() {
  if (collection_ || waiting_.empty() || begin_due_.is_running()) return;
  const TimePoint now = scope_.loop.now();
  begin_due_.start(std::max(last_begin_ + kInterval - now, Duration::zero()));
}

void AdminSessions::begin() {
  last_begin_ = scope_.loop.now();
  collection_ = std::make_shared<Collection>();
  collection_->askers = std::exchange(waiting_, {});
  collection_->workers_left = scope_.workers.size();
  size_t limit = 0;
  for (const Asker& asker : collection_->askers) limit = std::max(limit, asker.limit);
  for (const auto& worker : scope_.workers) {
    // Who comes too late finds another collection, or none.
    const std::weak_ptr<Collection> asked = collection_;
    worker->list_sessions(limit, [this, asked, &mailbox = scope_.mailbox](LiveSessions list) {
      const auto shared = std::make_shared<LiveSessions>(std::move(list));
      mailbox.post([this, asked, shared] {
        if (!asked.expired()) take(std::move(*shared));
      });
    });
  }
  finish_due_.start(kPatience);
}

void AdminSessions::take(LiveSessions list) {
  collection_->total += list.total;
  std::move(list.sessions.begin(), list.sessions.end(), std::back_inserter(collection_->sessions));
  if (--collection_->workers_left == 0) finish();
}

void AdminSessions::finish() {
  finish_due_.stop();
  const std::shared_ptr<Collection> done = std::exchange(collection_, nullptr);
  std::vector<LiveSession>& sessions = done->sessions;
  std::stable_sort(
      sessions.begin(), sessions.end(),
      [](const LiveSession& a, const LiveSession& b) { return a.id.started_ms > b.id.started_ms; });
  const AdminTime time{scope_.loop.now(), WallTime::clock::now()};
  for (const Asker& asker : done->askers) {
    const std::span<const LiveSession> some(sessions.data(),
                                            std::min(asker.limit, sessions.size()));
    asker.reply(http_json(render_sessions(
        {.sessions = some, .total = done->total, .is_complete = done->workers_left == 0}, time)));
  }
  schedule();
}

void AdminSessions::close(std::string_view id, HttpReply reply) {
  const auto parsed = SessionId::parse(id);
  if (!parsed || parsed->worker >= scope_.workers.size()) {
    reply(http_error(404, "there is no such session"));
    return;
  }
  scope_.workers[parsed->worker]->cut_session(
      *parsed, EndReason::shutdown,
      [reply = std::move(reply), text = std::string(id),
       &mailbox = scope_.mailbox](bool is_there) mutable {
        mailbox.post([reply = std::move(reply), text = std::move(text), is_there] {
          if (!is_there) {
            reply(http_error(404, "there is no such session"));
            return;
          }
          HttpAnswer answer;
          JsonWriter json(answer.body);
          json.begin_object();
          json.member("session", text);
          json.member("closed", true);
          json.end_object();
          answer.body += '\n';
          reply(std::move(answer));
        });
      });
}

}  // namespace sluice
