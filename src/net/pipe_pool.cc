#include "sluice/net/pipe_pool.h"

#include <fcntl.h>

#include <array>
#include <utility>

namespace sluice {

std::unique_ptr<Pipe> PipePool::acquire() {
  if (!idle_.empty()) {
    std::unique_ptr<Pipe> pipe = std::move(idle_.back());
    idle_.pop_back();
    return pipe;
  }
  if (pipes() >= pipes_max_) return nullptr;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) return nullptr;
  auto pipe = std::make_unique<Pipe>(Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])});
  ::fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes);
  if (::fcntl(ends[1], F_GETPIPE_SZ) < kPipeBytesMin) return nullptr;
  pipes_.set(pipes() + 1);
  return pipe;
}

void PipePool::give_back(std::unique_ptr<Pipe> pipe) {
  if (idle_.size() < kIdlePipesMax) {
    idle_.push_back(std::move(pipe));
  } else {
    discard(std::move(pipe));
  }
}

void PipePool::discard(std::unique_ptr<Pipe> pipe) {
  pipe.reset();
  pipes_.set(pipes() - 1);
}

}  // namespace sluice
