#include "sluice/net/half_pump.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sluice/net/socket_options.h"

namespace sluice {
namespace {

// A direction is bulk after that many reads in a row of at least that size.
constexpr size_t kBulkReadBytes = 32 * 1024;
constexpr uint8_t kReadsToPromote = 3;
constexpr uint8_t kReadsToDemote = 4;
// More than any pipe holds, so that the pipe is the bound.
constexpr size_t kSpliceBytesMax = 1024 * 1024;
// No SPLICE_F_MORE: on a stream that may pause it corks the tail for 200 ms.
constexpr unsigned kSpliceFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

bool is_transient(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

void Endpoint::take_in(Readiness readiness) {
  is_readable |= readiness.is_readable();
  is_writable |= readiness.is_writable() || readiness.has_error();
  has_hangup |= readiness.has_hangup();
  has_urgent |= readiness.has_urgent();
}

void Endpoint::break_with(int problem) {
  error = problem;
  // What it received before is still to be read; whoever reads goes on until the end shows.
  is_readable = has_hangup = true;
  is_writable = false;
}

HalfPump::Progress HalfPump::step(Endpoint& source, Endpoint& sink, PumpResources& resources) {
  size_t moved = 0;
  while (state_ != State::done) {
    if (sink.is_broken()) {
      abandon(resources.pipes);
      break;
    }
    if (bytes_in_flight() > 0 && !flush(sink, resources)) {
      if (sink.is_broken()) continue;
      break;
    }
    if (state_ == State::draining) {
      state_ = State::done;
      break;
    }
    if (!source.is_readable || !sink.is_writable) break;
    if (moved >= kBytesPerTurnMax) return Progress::out_of_turn;
    moved += fill(source, sink, resources);
  }
  return Progress::waiting;
}

void HalfPump::abandon(PipePool& pipes) {
  if (pipe_) pipes.discard(std::move(pipe_));
  remainder_.reset();
  piped_bytes_ = 0;
  state_ = State::done;
}

bool HalfPump::flush(Endpoint& sink, PumpResources& resources) {
  if (!sink.is_writable) return false;
  before_write(sink);
  return piped_bytes_ > 0 ? flush_pipe(sink, resources) : flush_remainder(sink);
}

void HalfPump::before_write(Endpoint& sink) const {
  if (!sink.is_nodelay_due || bytes_moved_ == 0) return;
  set_nodelay(sink.fd.get());
  sink.is_nodelay_due = false;
}

bool HalfPump::flush_remainder(Endpoint& sink) {
  const ssize_t written = ::send(sink.fd.get(), remainder_->bytes.data() + remainder_->written,
                                 remainder_->size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (written < 0) {
    if (errno == EINTR) return flush_remainder(sink);
    sink.is_writable = false;
    if (!is_transient(errno)) sink.break_with(errno);
    return false;
  }
  bytes_moved_ += static_cast<uint64_t>(written);
  remainder_->written += static_cast<size_t>(written);
  if (remainder_->size() == 0) remainder_.reset();
  sink.is_writable = !remainder_;  // a short write says that the socket is full
  return !remainder_;
}

bool HalfPump::flush_pipe(Endpoint& sink, PumpResources& resources) {
  while (piped_bytes_ > 0) {
    const ssize_t written = ::splice(pipe_->read_end.get(), nullptr, sink.fd.get(), nullptr,
                                     piped_bytes_, kSpliceFlags);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      sink.is_writable = false;
      if (written == 0) sink.break_with(EPIPE);
      if (written < 0 && !is_transient(errno)) sink.break_with(errno);
      return false;
    }
    bytes_moved_ += static_cast<uint64_t>(written);
    piped_bytes_ -= static_cast<uint32_t>(written);
  }
  // Held on to while the source has more; splice_in() gives it back when the source is empty.
  if (state_ == State::draining) resources.pipes.give_back(std::move(pipe_));
  return true;
}

size_t HalfPump::fill(Endpoint& source, Endpoint& sink, PumpResources& resources) {
  const bool may_splice = mode_ == Mode::splice && !source.has_urgent && resources.may_splice;
  if (may_splice && use_pipe(resources)) return splice_in(source, resources);
  if (pipe_) resources.pipes.give_back(std::move(pipe_));
  return copy(source, sink, resources);
}

size_t HalfPump::copy(Endpoint& source, Endpoint& sink, PumpResources& resources) {
  const size_t wanted = std::min(resources.scratch.size(), kCopyBytesMax);
  const ssize_t result = ::recv(source.fd.get(), resources.scratch.data(), wanted, MSG_DONTWAIT);
  if (result <= 0) {
    end_source(source, result, errno);
    return 0;
  }
  const auto bytes = static_cast<size_t>(result);
  // Everything was read, unless a hang-up is waiting behind it or something else cut it short.
  const bool may_be_cut_short = source.has_hangup || source.has_urgent || source.is_unix;
  if (bytes < wanted && !may_be_cut_short) source.is_readable = false;
  judge_read(bytes, source, resources);

  before_write(sink);
  ssize_t written =
      ::send(sink.fd.get(), resources.scratch.data(), bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (written < 0) {
    if (!is_transient(errno)) {
      sink.break_with(errno);
      return bytes;
    }
    written = 0;
  }
  bytes_moved_ += static_cast<uint64_t>(written);
  if (static_cast<size_t>(written) < bytes) {
    sink.is_writable = false;
    const auto rest = resources.scratch.first(bytes).subspan(static_cast<size_t>(written));
    remainder_ =
        std::make_unique<Remainder>(Remainder{.bytes = std::vector(rest.begin(), rest.end())});
  }
  return bytes;
}

void HalfPump::judge_read(size_t bytes, const Endpoint& source, PumpResources& resources) {
  if (!resources.may_splice || source.has_urgent) return;
  bulk_reads_ = bytes >= kBulkReadBytes ? static_cast<uint8_t>(bulk_reads_ + 1) : uint8_t{0};
  if (bulk_reads_ < kReadsToPromote) return;
  bulk_reads_ = small_reads_ = 0;
  mode_ = Mode::splice;
}

bool HalfPump::use_pipe(PumpResources& resources) {
  if (!pipe_) pipe_ = resources.pipes.acquire();
  if (!pipe_) mode_ = Mode::copy;
  return pipe_ != nullptr;
}

size_t HalfPump::splice_in(Endpoint& source, PumpResources& resources) {
  const ssize_t result = ::splice(source.fd.get(), nullptr, pipe_->write_end.get(), nullptr,
                                  kSpliceBytesMax, kSpliceFlags);
  if (result <= 0) {
    const int error = errno;
    resources.pipes.give_back(std::move(pipe_));
    if (result < 0 && is_transient(error)) {
      end_source(source, result, error);
    } else {
      // Splice stops at an urgent byte and takes a FIN behind it for the end: a read says the
      // truth.
      mode_ = Mode::copy;
      if (result < 0) source.break_with(error);
    }
    return 0;
  }
  piped_bytes_ = static_cast<uint32_t>(result);
  const bool is_small = piped_bytes_ < kBulkReadBytes;
  small_reads_ = is_small ? static_cast<uint8_t>(small_reads_ + 1) : uint8_t{0};
  if (small_reads_ >= kReadsToDemote) mode_ = Mode::copy;
  return piped_bytes_;
}

// A read or a fill that brought nothing: nothing there yet, the end of the stream, or an error.
void HalfPump::end_source(Endpoint& source, ssize_t result, int error) {
  if (result < 0 && error == EINTR) return;
  const bool is_error = result < 0 && !is_transient(error);
  if (is_error) source.break_with(error);
  source.is_readable = false;
  // A socket given up for dead (its error was not the kernel's) just has nothing more to read.
  const bool may_have_more = result < 0 && !is_error && !source.is_broken();
  if (!may_have_more) state_ = State::draining;
}

}  // namespace sluice
