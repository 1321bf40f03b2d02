#include "sluice/net/resolver.h"

#include <gtest/gtest.h>
#include <netdb.h>

#include <cstdlib>
#include <memory>
#include <optional>

#include "sockets.h"
#include "waiting.h"

namespace sluice {
namespace {

Address host(const std::string& text) {
  const auto address = Address::parse(text);
  EXPECT_TRUE(address) << address.error().message;
  return *address;
}

// A root file system without /etc/hosts may not know even this name.
bool knows_localhost() {
  addrinfo* found = nullptr;
  if (::getaddrinfo("localhost", nullptr, nullptr, &found) != 0) return false;
  ::freeaddrinfo(found);
  return true;
}

class ResolverTest : public testing::Test {
 protected:
  // Without a name server a question takes the resolver's whole patience: shorten it.
  static void SetUpTestSuite() { ::setenv("RES_OPTIONS", "timeout:1 attempts:1", 1); }

  Loop loop;
};

TEST_F(ResolverTest, localhost_is_a_loopback_address_with_the_asked_port) {
  if (!knows_localhost()) GTEST_SKIP() << "this system cannot resolve localhost";
  Resolver resolver(loop);
  std::optional<Resolver::Answer> answer;
  resolver.resolve(host("localhost:8080"), [&](Resolver::Answer got) { answer = std::move(got); });
  EXPECT_FALSE(answer) << "later, not at once";
  EXPECT_TRUE(resolver.is_busy());
  ASSERT_TRUE(run_until(loop, [&] { return answer.has_value(); }));
  EXPECT_FALSE(resolver.is_busy());
  ASSERT_TRUE(*answer) << answer->error().message;
  ASSERT_FALSE((*answer)->empty());
  for (const Address& address : **answer) {
    EXPECT_TRUE(address == loopback(8080) || address == ipv6_loopback(8080)) << address.to_string();
  }
}

TEST_F(ResolverTest, name_that_does_not_exist_is_an_error_that_names_it) {
  Resolver resolver(loop);
  std::optional<Resolver::Answer> answer;
  resolver.resolve(host("nowhere.invalid:80"),
                   [&](Resolver::Answer got) { answer = std::move(got); });
  ASSERT_TRUE(run_until(
      loop, [&] { return answer.has_value(); }, std::chrono::seconds(60)));
  ASSERT_FALSE(*answer);
  EXPECT_NE(answer->error().message.find("nowhere.invalid"), std::string::npos);
}

TEST_F(ResolverTest, many_questions_at_a_time_get_their_own_answers) {
  if (!knows_localhost()) GTEST_SKIP() << "this system cannot resolve localhost";
  Resolver resolver(loop);
  int answers = 0;
  for (uint16_t port = 1; port <= 50; ++port) {
    resolver.resolve(host("localhost:" + std::to_string(port)), [&, port](Resolver::Answer got) {
      ASSERT_TRUE(got);
      EXPECT_EQ(got->front().port(), port);
      ++answers;
    });
  }
  EXPECT_TRUE(run_until(loop, [&] { return answers == 50; }));
}

TEST_F(ResolverTest, resolver_that_goes_answers_nobody) {
  auto resolver = std::make_unique<Resolver>(loop);
  bool is_answered = false;
  for (int i = 0; i < 20; ++i) {
    resolver->resolve(host("localhost:80"), [&](const Resolver::Answer&) { is_answered = true; });
  }
  resolver.reset();
  // Open requests keep the loop busy until the system has let go of them.
  ASSERT_TRUE(run_until(loop, [&] { return loop.raw()->active_reqs.count == 0; }));
  EXPECT_FALSE(is_answered);
}

TEST_F(ResolverTest, answer_may_end_the_resolver) {
  auto resolver = std::make_unique<Resolver>(loop);
  bool is_answered = false;
  resolver->resolve(host("localhost:80"), [&](const Resolver::Answer&) {
    is_answered = true;
    resolver.reset();
  });
  EXPECT_TRUE(run_until(loop, [&] { return is_answered; }));
  EXPECT_FALSE(resolver);
}

}  // namespace
}  // namespace sluice
