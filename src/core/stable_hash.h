// Hashes that are the same in every process, on every machine and in every version of this program:
// several Sluices with one configuration send a client to the same backend because of them. Not
// secret and not meant to be: whoever may choose its own address can choose its backend.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sluice/base/ip_bytes.h"
#include "sluice/core/balance_settings.h"

namespace sluice {

// Every bit of the input changes every bit of the output with a chance of about a half; no two
// inputs give the same (Stafford's variant 13 of MurmurHash3's finalizer, as in SplitMix64).
constexpr uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

// FNV-1a of 64 bits, mixed: its upper bits alone hardly depend on the last byte.
uint64_t stable_hash(std::span<const uint8_t> bytes);
uint64_t stable_hash(std::string_view text);

// Of a client's address as far as the settings' prefix goes. Addresses of the two families never
// are the same client. The client has an address.
uint64_t client_key(const IpBytes& client, const BalanceSettings& settings);

}  // namespace sluice
