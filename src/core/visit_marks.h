// Which candidates a pick has been to. Forgetting them all is one addition, because a mark is the
// number of the pick that set it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice {

class VisitMarks {
 public:
  void resize(size_t count) {
    marks_.assign(count, 0);
    pick_ = 0;
  }

  // A new pick, which has been nowhere. Before the first visit().
  void begin() {
    if (++pick_ != 0) return;
    std::fill(marks_.begin(), marks_.end(), 0U);
    pick_ = 1;
  }

  bool was_visited(size_t index) const { return marks_[index] == pick_; }

  // False when it was visited before.
  bool visit(size_t index) {
    if (was_visited(index)) return false;
    marks_[index] = pick_;
    return true;
  }

 private:
  std::vector<uint32_t> marks_;
  uint32_t pick_ = 0;
};

}  // namespace sluice
