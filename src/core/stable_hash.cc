#include "stable_hash.h"

#include <algorithm>

namespace sluice {
namespace {

constexpr uint64_t kFnvOffset = 0xCBF29CE484222325U;
constexpr uint64_t kFnvPrime = 0x100000001B3U;

constexpr uint64_t add_byte(uint64_t hash, uint8_t byte) { return (hash ^ byte) * kFnvPrime; }

}  // namespace

uint64_t stable_hash(std::span<const uint8_t> bytes) {
  uint64_t hash = kFnvOffset;
  for (const uint8_t byte : bytes) hash = add_byte(hash, byte);
  return mix(hash);
}

uint64_t stable_hash(std::string_view text) {
  uint64_t hash = kFnvOffset;
  for (const char c : text) hash = add_byte(hash, static_cast<uint8_t>(c));
  return mix(hash);
}

uint64_t client_key(const IpBytes& client, const BalanceSettings& settings) {
  uint32_t bits_left = client.size == 4 ? settings.prefix_v4 : settings.prefix_v6;
  uint64_t hash = add_byte(kFnvOffset, client.size);
  for (const uint8_t byte : client.view()) {
    const uint32_t kept = std::min(bits_left, 8U);
    const uint32_t mask = 0xFF00U >> kept;
    hash = add_byte(hash, static_cast<uint8_t>(byte & mask));
    bits_left -= kept;
  }
  return mix(hash);
}

}  // namespace sluice
