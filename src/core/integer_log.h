// -log2(u) of a uniform 64-bit hash taken as a number u in (0, 1], in whole numbers, because the
// libraries' logarithms differ in their last bits from machine to machine, and hashes that several
// machines must agree about cannot stand on them. A table of log2 at 256 steps of the mantissa and
// a straight line between two: within 0.2 % of the true value, also next to 1, where it is 0.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sluice {

// Bits behind the point.
inline constexpr unsigned kLogBits = 40;

namespace integer_log {

inline constexpr unsigned kStepBits = 8;
inline constexpr size_t kSteps = size_t{1} << kStepBits;

// log2 of 1 + step / kSteps, bit by bit: squaring doubles a logarithm.
constexpr uint64_t log2_of_step(size_t step) {
  if (step == kSteps) return uint64_t{1} << kLogBits;
  uint64_t mantissa = (uint64_t{kSteps} + step) << (31U - kStepBits);  // in [2^31, 2^32)
  uint64_t log = 0;
  for (unsigned bit = 0; bit < kLogBits; ++bit) {
    mantissa = (mantissa * mantissa) >> 31U;
    log <<= 1U;
    if (mantissa < (uint64_t{1} << 32U)) continue;
    log |= 1U;
    mantissa >>= 1U;
  }
  return log;
}

constexpr std::array<uint64_t, kSteps + 1> make_table() {
  std::array<uint64_t, kSteps + 1> table{};
  for (size_t step = 0; step <= kSteps; ++step) table[step] = log2_of_step(step);
  return table;
}

inline constexpr std::array<uint64_t, kSteps + 1> kTable = make_table();

}  // namespace integer_log

// In units of 2^-kLogBits; below 2^46. Never grows with `hash`.
constexpr uint64_t negative_log2(uint64_t hash) {
  using namespace integer_log;
  constexpr unsigned kRestBits = 31;  // of the mantissa behind the step, as many as are used
  const uint64_t number = hash == 0 ? 1 : hash;
  const auto zeros = static_cast<unsigned>(std::countl_zero(number));
  const uint64_t mantissa = number << zeros << 1U;  // without its leading one
  const size_t step = mantissa >> (64U - kStepBits);
  const uint64_t rest = (mantissa << kStepBits) >> (64U - kRestBits);
  const uint64_t rise = kTable[step + 1] - kTable[step];
  const uint64_t log =
      ((uint64_t{63} - zeros) << kLogBits) + kTable[step] + ((rise * rest) >> kRestBits);
  return (uint64_t{64} << kLogBits) - log;
}

}  // namespace sluice
