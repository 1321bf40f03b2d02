// Host names to addresses, off the loop (libuv's thread pool and the system's resolver).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "sluice/base/address.h"
#include "sluice/base/result.h"
#include "sluice/net/loop.h"

namespace sluice {

class Resolver {
 public:
  using Answer = Result<std::vector<Address>>;  // sorted, each once, with the asked port

  explicit Resolver(Loop& loop) : loop_(loop) {}
  // Questions still open are forgotten, but the system's resolver cannot be interrupted: the loop
  // cannot be destroyed before it has answered (see is_busy).
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Calls `on_answer` on the loop's thread: later, or at once when libuv refuses the name.
  void resolve(const Address& name, std::function<void(Answer)> on_answer);

  bool is_busy() const { return !questions_.empty(); }

 private:
  struct Question;
  Loop& loop_;
  std::unordered_set<Question*> questions_;
};

}  // namespace sluice
