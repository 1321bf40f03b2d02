// Tasks for a loop from other threads, run there in the order in which they came. uv_async alone
// coalesces, so a queue stands beside it. post() from any thread; the rest on the loop's thread.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "sluice/net/loop.h"

namespace sluice {

class Mailbox {
 public:
  using Task = std::function<void()>;

  explicit Mailbox(Loop& loop);

  // Must not be called once the mailbox is being destroyed: its owner ends the senders first.
  void post(Task task);

  // Runs what has been posted. The loop does so by itself; for an owner that stops its loop.
  void run_tasks();

 private:
  std::mutex mutex_;
  std::vector<Task> tasks_;
  Handle<uv_async_t> async_;
};

}  // namespace sluice
