// Bytes from a descriptor of whatever kind, through the loop: a pipe, a terminal or a socket as a
// stream of libuv's; a regular file, which epoll cannot watch, and things like /dev/null by reads
// on libuv's threads. Lives on the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/net/loop.h"

namespace sluice {

class Input {
 public:
  struct Callbacks {
    // May pause. The bytes are valid during the call.
    std::function<void(std::string_view bytes)> on_bytes;
    // Once, the last call: the end of input, or why there is no more.
    std::function<void(Result<void>)> on_end;
  };

  virtual ~Input() = default;

  // It begins paused.
  virtual void resume() = 0;
  virtual void pause() = 0;
};

// `fd` stays the caller's.
Result<std::unique_ptr<Input>> open_input(Loop& loop, int fd, Input::Callbacks callbacks);

}  // namespace sluice
