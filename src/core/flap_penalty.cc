#include "sluice/core/flap_penalty.h"

namespace sluice {

struct FlapPenalty::Word {
  uint32_t doublings = 0;  // 6 bits
  uint32_t proofs = 0;     // in a row; 10 bits
  int64_t began_ms = 0;    // the row's first; 48 bits are 8,900 years

  static constexpr uint32_t kProofsShift = 6, kBeganShift = 16;

  static Word unpack(uint64_t word) {
    return {.doublings = static_cast<uint32_t>(word) & ((1U << kProofsShift) - 1),
            .proofs = static_cast<uint32_t>(word >> kProofsShift) & 0x3FFU,
            .began_ms = static_cast<int64_t>(word >> kBeganShift)};
  }
  uint64_t pack() const {
    return static_cast<uint64_t>(began_ms) << kBeganShift | uint64_t{proofs} << kProofsShift |
           doublings;
  }
};

// A step that leaves the word as it is writes nothing.
template <typename Step>
void FlapPenalty::change(Step step) {
  uint64_t seen = word_.load(std::memory_order_relaxed);
  // A lost swap means that another thread's was won, so this ends.
  while (true) {
    Word word = Word::unpack(seen);
    step(word);
    const uint64_t next = word.pack();
    if (next == seen) return;
    if (word_.compare_exchange_weak(seen, next, std::memory_order_relaxed)) return;
  }
}

uint32_t FlapPenalty::doublings() const {
  return Word::unpack(word_.load(std::memory_order_relaxed)).doublings;
}

void FlapPenalty::opened() {
  change([](Word& word) {
    word = {.doublings = word.doublings < kDoublingsMax ? word.doublings + 1 : kDoublingsMax};
  });
}

void FlapPenalty::good_sign(TimePoint now, Duration span) {
  change([now_ms = to_ms(now.time_since_epoch()), span_ms = to_ms(span)](Word& word) {
    if (word.doublings == 0) return;
    if (word.proofs == 0) word.began_ms = now_ms;
    if (word.proofs < kProofs) ++word.proofs;
    if (word.proofs < kProofs || now_ms - word.began_ms < span_ms) return;
    word = {.doublings = word.doublings - 1};
  });
}

void FlapPenalty::break_row() {
  change([](Word& word) { word = {.doublings = word.doublings}; });
}

}  // namespace sluice
