// Waiting for something to become true, with a deadline: never a sleep that hopes.
#pragma once

#include <chrono>

#include "sluice/base/function_ref.h"
#include "sluice/net/loop.h"

namespace sluice {

inline constexpr std::chrono::seconds kPatience{20};

// Runs the loop, on this thread, until `is_true` or the deadline.
bool run_until(Loop& loop, FunctionRef<bool()> is_true, Duration patience = kPatience);
// One round of the loop, without blocking.
void run_once(Loop& loop);

// Looks again and again, for what other threads do.
bool wait_until(FunctionRef<bool()> is_true, Duration patience = kPatience);

}  // namespace sluice
