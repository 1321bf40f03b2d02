// Whatever the sizes in which the bytes arrive, the node says the same.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <string_view>

#include "sluice/base/random.h"
#include "support.h"

namespace sluice {
namespace {

struct Said {
  Lines replies;
  Lines complaints;

  friend bool operator==(const Said&, const Said&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Said& said) {
    return out << testing::PrintToString(said.replies) << testing::PrintToString(said.complaints);
  }
};

Said say_whole(std::string_view stream) {
  Conversation node;
  node.feed(stream);
  node.finish();
  return {node.replies, node.complaints};
}

Said say_split(std::string_view stream, Random& random) {
  Conversation node;
  const size_t chunk_max = 1 + random.below(40);
  while (!stream.empty()) {
    const size_t length = std::min(stream.size(), 1 + random.below(chunk_max));
    node.feed(stream.substr(0, length));
    stream.remove_prefix(length);
  }
  node.finish();
  return {node.replies, node.complaints};
}

std::string random_piece(Random& random, int number) {
  static constexpr std::array<std::string_view, 8> kBroken{"garbage {",         "{\"src\":\"c1\",",
                                                           "{\"a\":\"unclosed", "{}}",
                                                           "{\"a\":[{\"b\":",   "nul",
                                                           "{\"a\":1,}",        "\\\""};
  static constexpr std::array<std::string_view, 6> kPayloads{
      "null",  R"("}{\"\\")",  R"([{},{"a":"😀\ud83d\ude00"}])",
      "1e999", "\n[\n{}\n]\n", "\"\\u00e9\""};
  switch (random.below(6)) {
    case 0:
      return std::string(kBroken[random.below(kBroken.size())]);
    case 1:
      return request("no_such_type", number);
    case 2:
      return request("status", number);
    default:
      return echo(number, kPayloads[random.below(kPayloads.size())]);
  }
}

std::string random_stream(Random& random) {
  static constexpr std::array<std::string_view, 4> kBetween{"\n", "\r\n", "\n\n \t", ""};
  std::string stream(kInit);
  const uint64_t pieces = random.below(30);
  for (uint64_t i = 0; i < pieces; ++i) {
    // Mostly lines: what follows broken text on its line goes with it.
    stream += random.below(4) > 0 ? "\n" : kBetween[random.below(kBetween.size())];
    stream += random_piece(random, static_cast<int>(i) + 2);
  }
  return stream;
}

TEST(Splitting, a_message_in_two_chunks_is_answered_once_wherever_it_is_cut) {
  const std::string stream = std::string(kInit) + echo(2, R"("}\"{é\\")");
  const Said whole = say_whole(stream);
  ASSERT_EQ(whole.replies.size(), 2U);
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    Conversation node;
    node.feed(std::string_view(stream).substr(0, cut));
    node.feed(std::string_view(stream).substr(cut));
    ASSERT_EQ(node.replies, whole.replies) << "cut at " << cut;
  }
}

TEST(Splitting, of_a_random_stream_makes_no_difference) {
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    Random random(seed);
    const std::string stream = random_stream(random);
    const Said whole = say_whole(stream);
    ASSERT_EQ(say_split(stream, random), whole) << "seed " << seed << ":\n" << stream;
  }
}

}  // namespace
}  // namespace sluice
