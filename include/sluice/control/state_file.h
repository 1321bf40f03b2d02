// The text of the state file: one JSON object, written by this program and read by it after a
// restart. Points in time are milliseconds since 1970 there, because the monotonic clock begins
// anew with the machine. Reads nothing and knows no clock: text and times are arguments.
//
//   {"sluice_state":1,"written_at_ms":1767225600000,"clusters":[
//   {"name":"web","backends":[
//   {"name":"b1","address":"10.0.0.1:80","configured":{"state":"ready","weight":1},
//    "state":"draining","weight":3,"unhealthy":true,
//    "breaker":{"reopens_at_ms":1767225630000,"failed_trials":2}}]}]}
//
// A backend that is as its configuration makes it is left out; `breaker` is there while it is not
// closed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/base/time.h"
#include "sluice/base/wall_time.h"
#include "sluice/core/saved_state.h"

namespace sluice {

// The same moment on both clocks.
struct Moment {
  TimePoint monotonic;
  WallTime wall;
};

struct SavedCluster {
  std::string name;
  std::vector<SavedBackend> backends;

  friend bool operator==(const SavedCluster&, const SavedCluster&) = default;
};

struct SavedState {
  WallTime written_at;
  std::vector<SavedCluster> clusters;
};

// More than any state is: some 300 bytes for each of 200,000 backends.
inline constexpr size_t kStateBytesMax = size_t{64} << 20U;

// `clusters` as of `now`, which is when it says that it was written.
std::string render_state(const std::vector<SavedCluster>& clusters, const Moment& now);

// Strict: whatever this program would not have written is an error, which says what and where.
Result<SavedState> parse_state(std::string_view text, const Moment& now);

}  // namespace sluice
