// How many descriptors this process has open. Linux 6.2 and later say so at once. Before that they
// can only be counted one by one, which takes a fraction of a second for hundreds of thousands: a
// thread of libuv's does that, at most every kInterval, and until it is done the last count stands.
// Control loop only.
#pragma once

#include <uv.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "sluice/base/time.h"
#include "sluice/net/loop.h"

namespace sluice {

class OpenFds {
 public:
  static constexpr Duration kInterval = std::chrono::seconds(5);

  // What the kernel says of itself; nothing when it is too old.
  using Ask = std::optional<uint64_t> (*)();
  static std::optional<uint64_t> ask_kernel();

  // Counts once, when an old kernel does not say it: at the start there are few.
  explicit OpenFds(Loop& loop, Ask ask = &ask_kernel, Duration interval = kInterval);
  OpenFds(const OpenFds&) = delete;
  OpenFds& operator=(const OpenFds&) = delete;

  // Never waits. Of an old kernel the number is that of a scrape before.
  uint64_t count();

 private:
  struct Counting;
  void begin_counting();

  Loop& loop_;
  const Ask ask_;
  const Duration interval_;
  uint64_t counted_ = 0;
  TimePoint counted_at_{};
  bool is_counting_ = false;
  // Tells a count that is still under way when this goes that nobody wants it any more.
  const std::shared_ptr<OpenFds*> presence_ = std::make_shared<OpenFds*>(this);
};

}  // namespace sluice
