#include "open_fds.h"

#include <sys/stat.h>

#include "sluice/control/machine_limits.h"

namespace sluice {

// Lives until libuv has told of its end.
struct OpenFds::Counting {
  uv_work_t request{};
  uint64_t count = 0;
  std::weak_ptr<OpenFds*> owner;
};

std::optional<uint64_t> OpenFds::ask_kernel() {
  struct stat directory {};
  if (::stat("/proc/self/fd", &directory) != 0 || directory.st_size <= 0) return std::nullopt;
  return static_cast<uint64_t>(directory.st_size);
}

OpenFds::OpenFds(Loop& loop, Ask ask, Duration interval)
    : loop_(loop), ask_(ask), interval_(interval) {
  if (ask_()) return;
  counted_ = open_descriptors();
  counted_at_ = loop_.now();
}

uint64_t OpenFds::count() {
  if (const auto told = ask_()) return *told;
  if (!is_counting_ && loop_.now() - counted_at_ >= interval_) begin_counting();
  return counted_;
}

void OpenFds::begin_counting() {
  auto counting = std::make_unique<Counting>();
  counting->owner = presence_;
  counting->request.data = counting.get();
  const int error = uv_queue_work(
      loop_.raw(), &counting->request,
      [](uv_work_t* request) { static_cast<Counting*>(request->data)->count = open_descriptors(); },
      [](uv_work_t* request, int) {
        const std::unique_ptr<Counting> done(static_cast<Counting*>(request->data));
        const auto owner = done->owner.lock();
        if (!owner) return;
        (*owner)->is_counting_ = false;
        (*owner)->counted_ = done->count;
        (*owner)->counted_at_ = (*owner)->loop_.now();
      });
  if (error != 0) return;
  is_counting_ = true;
  static_cast<void>(counting.release());  // the callback's
}

}  // namespace sluice
