#include "sluice/net/mailbox.h"

#include <utility>

namespace sluice {

Mailbox::Mailbox(Loop& loop) : async_(this) {
  uv_async_init(loop.raw(), async_.raw(),
                [](uv_async_t* async) { static_cast<Mailbox*>(async->data)->run_tasks(); });
}

void Mailbox::post(Task task) {
  bool was_empty = false;
  {
    const std::scoped_lock lock(mutex_);
    was_empty = tasks_.empty();
    tasks_.push_back(std::move(task));
  }
  if (was_empty) uv_async_send(async_.raw());
}

void Mailbox::run_tasks() {
  std::vector<Task> tasks;
  {
    const std::scoped_lock lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const Task& task : tasks) task();
}

}  // namespace sluice
