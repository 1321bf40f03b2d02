// Replaces one file again and again on a thread of its own, so that a slow disk stops nobody; the
// text is made there too. One that was not begun when the next one comes is left out.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "sluice/base/result.h"

namespace sluice {

class StateWriter {
 public:
  using MakeText = std::function<std::string()>;
  // Called after each write, on the writer's thread.
  using Report = std::function<void(const Result<void>&)>;

  StateWriter(std::string path, Report on_written);
  // Waits for the write under way; what has not begun is not written.
  ~StateWriter();
  StateWriter(const StateWriter&) = delete;
  StateWriter& operator=(const StateWriter&) = delete;

  void submit(MakeText make_text);

 private:
  void run();

  const std::string path_;
  const Report on_written_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<MakeText> next_;
  bool is_ending_ = false;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace sluice
