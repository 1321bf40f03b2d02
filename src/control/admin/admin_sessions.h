// Live sessions, which belong to the workers: each is asked through its mailbox and answers when it
// comes to it, so nobody waits. However many ask, the workers are asked at most every kInterval,
// for all of them together; a worker that does not answer in time is left out. Control loop only.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "admin_scope.h"
#include "admin_views.h"
#include "http_message.h"

namespace sluice {

class AdminSessions {
 public:
  static constexpr size_t kLimitDefault = 100;
  static constexpr size_t kLimitMax = 1000;
  static constexpr Duration kInterval = std::chrono::milliseconds(100);
  static constexpr Duration kPatience = std::chrono::seconds(2);

  explicit AdminSessions(const AdminScope& scope);

  // Up to `limit` of them, the youngest first.
  void list(size_t limit, HttpReply reply);
  // Ends the one of that id by a reset to both sides.
  void close(std::string_view id, HttpReply reply);

 private:
  struct Asker {
    size_t limit;
    HttpReply reply;
  };
  struct Collection {
    std::vector<Asker> askers;
    std::vector<LiveSession> sessions;
    size_t total = 0;
    size_t workers_left = 0;
  };

  void schedule();
  void begin();
  void take(LiveSessions list);
  void finish();

  const AdminScope& scope_;
  std::vector<Asker> waiting_;
  std::shared_ptr<Collection> collection_;  // under way
  TimePoint last_begin_{};
  Timer begin_due_;
  Timer finish_due_;
};

}  // namespace sluice
