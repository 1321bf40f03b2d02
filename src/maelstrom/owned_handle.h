// Owns a libuv handle whose initialisation may fail, which net/loop.h's Handle does not allow for:
// only an initialised one may be closed, and libuv wants it alive until then.
#pragma once

#include <uv.h>

#include <memory>

namespace sluice {

template <typename Raw>
struct CloseHandle {
  void operator()(Raw* raw) const {
    if (raw->loop == nullptr) {  // set by every uv_..._init
      delete raw;
      return;
    }
    uv_close(reinterpret_cast<uv_handle_t*>(raw),
             [](uv_handle_t* handle) { delete reinterpret_cast<Raw*>(handle); });
  }
};

template <typename Raw>
using OwnedHandle = std::unique_ptr<Raw, CloseHandle<Raw>>;

template <typename Raw>
OwnedHandle<Raw> make_handle(void* owner) {
  OwnedHandle<Raw> handle(new Raw{});
  handle->data = owner;
  return handle;
}

}  // namespace sluice
