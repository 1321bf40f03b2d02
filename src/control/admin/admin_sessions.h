// Live sessions, which belong to the workers: each is asked through its mailbox and answers when it
// comes to it, so nobody waits. However many ask, the workers are asked at most every kInterval,
// for all of them together, and who asks for the same is given the same answer; a worker that does
// not answer in time is left out. Control loop only.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "admin_scope.h"
#include "admin_views.h"
#include "http_message.h"

namespace sluice {

class AdminSessions {
 public:
  static constexpr Duration kInterval = std::chrono::milliseconds(100);
  static constexpr Duration kPatience = std::chrono::seconds(2);
  // Different lists that the workers are asked for at a time, and that wait for their turn.
  static constexpr size_t kQueriesMax = 16;
  static constexpr size_t kWaitingMax = 256;

  // `on_work` is told how long it has worked outside of a request's handling.
  AdminSessions(const AdminScope& scope, std::function<void(Duration)> on_work);

  // Those that match, the youngest first.
  void list(SessionQuery query, HttpReply reply);
  // Ends the one of that id by a reset to both sides.
  void close(std::string_view id, HttpReply reply);

 private:
  // All who want to know the same.
  struct Question {
    SessionQuery query;
    std::vector<HttpReply> replies;
  };
  struct Collection {
    std::vector<Question> questions;
    std::vector<LiveSessions> answers;  // of the workers so far, one for each question
    size_t workers_left = 0;
  };

  void schedule();
  void begin();
  void take(std::vector<LiveSessions> lists);
  void finish();

  const AdminScope& scope_;
  const std::function<void(Duration)> on_work_;
  std::vector<Question> waiting_;
  std::shared_ptr<Collection> collection_;  // under way
  TimePoint last_begin_{};
  Timer begin_due_;
  Timer finish_due_;
};

}  // namespace sluice
