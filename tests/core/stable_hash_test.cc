// Numbers that must be the same for ever: with other ones, a fleet in which some run this version
// and some the next would send a client to different backends. Made by an independent program.
#include "core/stable_hash.h"

#include <cmath>

#include "core/integer_log.h"
#include "policy_rig.h"

namespace sluice {
namespace {

TEST(StableHash, is_the_same_for_ever) {
  EXPECT_EQ(stable_hash(std::string_view("backend-0")), 0xcd324cc939ac7ba2U);
  EXPECT_EQ(stable_hash(std::string_view("")), 0xf52a15e9a9b5e89bU);
  EXPECT_EQ(client_key(client_v4(1), {}), 0x31d8642c46e534b6U);
}

TEST(StableHash, prefix_is_what_counts) {
  const BalanceSettings networks{.prefix_v4 = 23, .prefix_v6 = 64};
  EXPECT_EQ(client_key(client_v4(0x000200), networks), client_key(client_v4(0x0003FF), networks));
  EXPECT_NE(client_key(client_v4(0x000200), networks), client_key(client_v4(0x000400), networks));
  EXPECT_NE(client_key(client_v4(0x000200), {}), client_key(client_v4(0x000201), {}));
  EXPECT_EQ(client_key(client_v6(1, 2), networks), client_key(client_v6(1, 3), networks));
  EXPECT_NE(client_key(client_v6(1, 2), networks), client_key(client_v6(2, 2), networks));
  EXPECT_NE(client_key(client_v6(1, 2), {}), client_key(client_v6(1, 3), {}));
  const BalanceSettings nothing{.prefix_v4 = 0, .prefix_v6 = 0};
  EXPECT_EQ(client_key(client_v4(1), nothing), client_key(client_v4(0xFFFFFF), nothing));
  EXPECT_NE(client_key(client_v4(1), nothing), client_key(client_v6(1, 1), nothing));
}

TEST(IntegerLog, is_near_the_logarithm) {
  Random random(5);
  for (int i = 0; i < 200'000; ++i) {
    // Small ones, great ones next to 1, and all between.
    uint64_t hash = random.next() >> random.below(64);
    if (i % 3 == 0) hash = ~hash;
    if (hash == 0) continue;
    const long double exact = 64 - std::log2(static_cast<long double>(hash));
    const long double ours = static_cast<long double>(negative_log2(hash)) / (1ULL << kLogBits);
    EXPECT_NEAR(static_cast<double>(ours), static_cast<double>(exact),
                static_cast<double>(exact) * 0.002 + 1e-11)
        << hash;
  }
}

TEST(IntegerLog, never_grows_and_has_its_ends) {
  EXPECT_EQ(negative_log2(0), uint64_t{64} << kLogBits);
  EXPECT_EQ(negative_log2(1), uint64_t{64} << kLogBits);
  EXPECT_EQ(negative_log2(uint64_t{1} << 63U), uint64_t{1} << kLogBits);
  EXPECT_LT(negative_log2(~uint64_t{0}), 1000U);
  uint64_t last = negative_log2(0);
  for (uint64_t hash = 1; hash < ~uint64_t{0} / 1001 * 1000; hash += hash / 1000 + 1) {
    const uint64_t log = negative_log2(hash);
    ASSERT_LE(log, last) << hash;
    last = log;
  }
}

}  // namespace
}  // namespace sluice
