#include "admin_sessions.h"

#include <uv.h>

#include <algorithm>
#include <utility>

namespace sluice {

AdminSessions::AdminSessions(const AdminScope& scope, std::function<void(Duration)> on_work)
    : scope_(scope),
      on_work_(std::move(on_work)),
      begin_due_(scope.loop, [this] { begin(); }),
      finish_due_(scope.loop, [this] { finish(); }) {}

void AdminSessions::list(SessionQuery query, HttpReply reply) {
  const auto same = std::find_if(waiting_.begin(), waiting_.end(),
                                 [&](const Question& one) { return one.query == query; });
  if (same != waiting_.end()) {
    same->replies.push_back(std::move(reply));
  } else if (waiting_.size() >= kWaitingMax) {
    reply(http_error(503, "too many lists of sessions are asked for: try again"));
    return;
  } else {
    waiting_.push_back({.query = std::move(query), .replies = {std::move(reply)}});
  }
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
  const auto end =
      waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kQueriesMax));
  std::move(waiting_.begin(), end, std::back_inserter(collection_->questions));
  waiting_.erase(waiting_.begin(), end);
  collection_->answers.resize(collection_->questions.size());
  collection_->workers_left = scope_.workers.size();
  std::vector<SessionQuery> queries;
  for (const Question& question : collection_->questions) queries.push_back(question.query);
  for (const auto& worker : scope_.workers) {
    // Who comes too late finds another collection, or none.
    const std::weak_ptr<Collection> asked = collection_;
    auto on_listed = [this, asked, &mailbox = scope_.mailbox](std::vector<LiveSessions> lists) {
      const auto shared = std::make_shared<std::vector<LiveSessions>>(std::move(lists));
      mailbox.post([this, asked, shared] {
        if (!asked.expired()) take(std::move(*shared));
      });
    };
    worker->list_sessions(queries, std::move(on_listed));
  }
  finish_due_.start(kPatience);
}

void AdminSessions::take(std::vector<LiveSessions> lists) {
  const uint64_t begun = uv_hrtime();
  for (size_t i = 0; i < lists.size(); ++i) {
    merge_into(collection_->answers[i], std::move(lists[i]),
               collection_->questions[i].query.count_max);
  }
  on_work_(Duration(uv_hrtime() - begun));
  if (--collection_->workers_left == 0) finish();
}

void AdminSessions::finish() {
  const uint64_t begun = uv_hrtime();
  finish_due_.stop();
  const std::shared_ptr<Collection> done = std::exchange(collection_, nullptr);
  const AdminTime time{scope_.loop.now(), WallTime::clock::now()};
  for (size_t i = 0; i < done->questions.size(); ++i) {
    const SharedText text = share_text(
        render_sessions(done->answers[i],
                        done->workers_left == 0 ? Coverage::all_workers : Coverage::some_workers,
                        time) +
        '\n');
    for (const HttpReply& reply : done->questions[i].replies) reply(http_shared_json(text));
  }
  on_work_(Duration(uv_hrtime() - begun));
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
