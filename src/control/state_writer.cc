#include "sluice/control/state_writer.h"

#include <utility>

#include "sluice/base/thread_name.h"
#include "sluice/control/atomic_file.h"

namespace sluice {

StateWriter::StateWriter(std::string path, Report on_written)
    : path_(std::move(path)), on_written_(std::move(on_written)), thread_([this] { run(); }) {}

StateWriter::~StateWriter() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void StateWriter::submit(MakeText make_text) {
  {
    const std::lock_guard lock(mutex_);
    next_ = std::move(make_text);
  }
  changed_.notify_one();
}

void StateWriter::run() {
  name_this_thread("state file");
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_ending_ || next_; });
    if (is_ending_) return;
    const MakeText make_text = *std::exchange(next_, std::nullopt);
    lock.unlock();
    on_written_(replace_file(path_, make_text()));
    lock.lock();
  }
}

}  // namespace sluice
