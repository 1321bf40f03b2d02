#include "maelstrom/input.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <utility>

#include "maelstrom/owned_handle.h"
#include "sluice/base/unique_fd.h"

namespace sluice {
namespace {

constexpr size_t kReadBytes = size_t{64} << 10U;

tl::unexpected<Error> cannot_read(int status) {
  return failure(fmt::format("cannot read the input: {}", uv_strerror(status)), -status);
}

template <typename Raw>
class StreamInput : public Input {
 public:
  StreamInput(UniqueFd fd, Callbacks callbacks)
      : fd_(std::move(fd)), callbacks_(std::move(callbacks)), handle_(make_handle<Raw>(this)) {}

  // Gives the descriptor to libuv. Returns a status of libuv's.
  int open(uv_loop_t* loop) {
    const int status = open(loop, handle_.get(), fd_.get());
    if (status == 0) static_cast<void>(fd_.release());
    return status;
  }

  void resume() override {
    uv_read_start(
        stream(),
        [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
          auto& bytes = static_cast<StreamInput*>(handle->data)->buffer_;
          *buffer = uv_buf_init(bytes.data(), static_cast<unsigned>(bytes.size()));
        },
        [](uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
          static_cast<StreamInput*>(stream->data)->on_read(count);
        });
  }

  void pause() override { uv_read_stop(stream()); }

 private:
  static int open(uv_loop_t* loop, uv_pipe_t* pipe, int fd) {
    const int status = uv_pipe_init(loop, pipe, 0);
    return status != 0 ? status : uv_pipe_open(pipe, fd);
  }
  static int open(uv_loop_t* loop, uv_tcp_t* tcp, int fd) {
    const int status = uv_tcp_init(loop, tcp);
    return status != 0 ? status : uv_tcp_open(tcp, fd);
  }
  static int open(uv_loop_t* loop, uv_tty_t* tty, int fd) { return uv_tty_init(loop, tty, fd, 0); }

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(handle_.get()); }

  void on_read(ssize_t count) {
    if (count > 0) callbacks_.on_bytes({buffer_.data(), static_cast<size_t>(count)});
    if (count >= 0) return;
    uv_read_stop(stream());
    callbacks_.on_end(count == UV_EOF ? Result<void>() : cannot_read(static_cast<int>(count)));
  }

  UniqueFd fd_;  // until libuv has it
  const Callbacks callbacks_;
  std::array<char, kReadBytes> buffer_{};
  OwnedHandle<Raw> handle_;
};

class FileInput : public Input {
 public:
  FileInput(Loop& loop, UniqueFd fd, Callbacks callbacks)
      : loop_(loop), fd_(std::move(fd)), callbacks_(std::move(callbacks)) {
    request_.data = this;
  }

  // A thread of libuv's may be writing to the buffer.
  ~FileInput() override {
    is_abandoned_ = true;
    while (is_reading_) uv_run(loop_.raw(), UV_RUN_ONCE);
  }

  void resume() override {
    is_paused_ = false;
    if (is_reading_) return;
    uv_buf_t buffer = uv_buf_init(buffer_.data(), static_cast<unsigned>(buffer_.size()));
    constexpr int64_t kAtCurrentPosition = -1;
    const int status =
        uv_fs_read(loop_.raw(), &request_, fd_.get(), &buffer, 1, kAtCurrentPosition,
                   [](uv_fs_t* request) { static_cast<FileInput*>(request->data)->on_read(); });
    if (status == 0) {
      is_reading_ = true;
    } else {
      callbacks_.on_end(cannot_read(status));
    }
  }

  void pause() override { is_paused_ = true; }

 private:
  void on_read() {
    is_reading_ = false;
    const ssize_t count = request_.result;
    uv_fs_req_cleanup(&request_);
    if (is_abandoned_) return;
    if (count <= 0) {
      callbacks_.on_end(count == 0 ? Result<void>() : cannot_read(static_cast<int>(count)));
      return;
    }
    callbacks_.on_bytes({buffer_.data(), static_cast<size_t>(count)});
    if (!is_paused_) resume();
  }

  Loop& loop_;
  const UniqueFd fd_;
  const Callbacks callbacks_;
  std::array<char, kReadBytes> buffer_{};
  uv_fs_t request_{};
  bool is_reading_ = false;
  bool is_paused_ = true;
  bool is_abandoned_ = false;
};

template <typename Raw>
Result<std::unique_ptr<Input>> open_stream(Loop& loop, UniqueFd fd, Input::Callbacks callbacks) {
  auto input = std::make_unique<StreamInput<Raw>>(std::move(fd), std::move(callbacks));
  if (const int status = input->open(loop.raw()); status != 0) return cannot_read(status);
  return input;
}

}  // namespace

Result<std::unique_ptr<Input>> open_input(Loop& loop, int fd, Input::Callbacks callbacks) {
  UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own) return cannot_read(-errno);
  switch (uv_guess_handle(own.get())) {
    case UV_NAMED_PIPE:
      return open_stream<uv_pipe_t>(loop, std::move(own), std::move(callbacks));
    case UV_TTY:
      return open_stream<uv_tty_t>(loop, std::move(own), std::move(callbacks));
    case UV_TCP:
      return open_stream<uv_tcp_t>(loop, std::move(own), std::move(callbacks));
    case UV_FILE:
      return std::make_unique<FileInput>(loop, std::move(own), std::move(callbacks));
    default:
      return failure("cannot read the input: it is no pipe, file, terminal or stream socket");
  }
}

}  // namespace sluice
