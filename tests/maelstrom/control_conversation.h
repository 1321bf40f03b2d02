// A node whose core is driven by control messages, under a clock that they move.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "support.h"

namespace sluice {

class ControlMessagesTest : public testing::Test {
 protected:
  ControlMessagesTest() { node.ask(kInit); }

  Lines ask(std::string_view type, std::string_view members = "") {
    return node.ask(request(type, 2, members));
  }
  // The answer's members behind its number.
  std::string answer(std::string_view type, std::string_view members = "") {
    const Lines lines = ask(type, members);
    if (lines.size() != 1) return fmt::format("{} lines", lines.size());
    const std::string& line = lines.front();
    const size_t at = line.find(R"("code":)");
    if (at != std::string::npos) return line.substr(at, line.find(',', at) - at);
    const size_t begin = line.find(',', line.find(R"("msg_id":)"));
    return begin == std::string::npos ? "" : line.substr(begin + 1, line.size() - begin - 3);
  }
  void set_backends(std::string_view list) {
    EXPECT_EQ(answer("backends", fmt::format(R"(,"backends":{})", list)), "");
  }
  std::string report(std::string_view backend, bool success) {
    return answer("report", fmt::format(R"(,"backend":"{}","success":{})", backend, success));
  }
  std::string advance(int64_t ms) { return answer("advance", fmt::format(R"(,"ms":{})", ms)); }
  void open(std::string_view backend) {
    for (int i = 0; i < 5; ++i) report(backend, false);
  }

  Conversation node{{.config = std::nullopt, .manual_clock = true}};
};

inline constexpr std::string_view kRefused = R"("code":11)";
inline constexpr std::string_view kMalformed = R"("code":12)";

inline std::string state(std::string_view backend, std::string_view breaker, int failures) {
  return fmt::format(R"("backend":"{}","state":"{}","consecutive_failures":{})", backend, breaker,
                     failures);
}

inline std::string routed(std::string_view backend, bool is_trial = false) {
  return fmt::format(R"("backend":"{}","trial":{})", backend, is_trial);
}

}  // namespace sluice
