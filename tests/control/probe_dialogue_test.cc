#include "sluice/control/probe_dialogue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sluice/base/random.h"

namespace sluice {
namespace {

using State = ProbeDialogue::State;

ProbeScript greeting() { return {ExpectStep{"220"}, SendStep{"QUIT\r\n"}, ExpectStep{"221"}}; }

ProbeScript http(std::vector<StatusRange> ranges = {{200, 399}}) {
  return {ExpectStatusStep{std::move(ranges)}};
}

// Says all it has to say.
void send_all(ProbeDialogue& dialogue) {
  while (dialogue.state() == State::sending) dialogue.sent(dialogue.to_send().size());
}

TEST(ProbeDialogue, nothing_to_say_has_passed_at_once) {
  const ProbeScript script;
  EXPECT_EQ(ProbeDialogue(script).state(), State::passed);
}

TEST(ProbeDialogue, a_send_alone_passes_when_all_has_gone) {
  const ProbeScript script = {SendStep{"PING"}};
  ProbeDialogue dialogue(script);
  EXPECT_EQ(dialogue.to_send(), "PING");
  dialogue.sent(3);
  EXPECT_EQ(dialogue.to_send(), "G");
  EXPECT_EQ(dialogue.state(), State::sending);
  dialogue.sent(1);
  EXPECT_EQ(dialogue.state(), State::passed);
}

TEST(ProbeDialogue, steps_go_in_order) {
  const ProbeScript script = greeting();
  ProbeDialogue dialogue(script);
  EXPECT_EQ(dialogue.state(), State::expecting);
  dialogue.received("220 mail ready\r\n");
  ASSERT_EQ(dialogue.state(), State::sending);
  EXPECT_EQ(dialogue.to_send(), "QUIT\r\n");
  send_all(dialogue);
  ASSERT_EQ(dialogue.state(), State::expecting);
  dialogue.received("221 bye\r\n");
  EXPECT_EQ(dialogue.state(), State::passed);
}

// What one step has found is not found again by the next.
TEST(ProbeDialogue, each_expectation_begins_after_the_match_before) {
  const ProbeScript script = {ExpectStep{"ab"}, ExpectStep{"ab"}};
  ProbeDialogue once(script);
  once.received("ab");
  EXPECT_EQ(once.state(), State::expecting);
  ProbeDialogue twice(script);
  twice.received("..ab..ab..");
  EXPECT_EQ(twice.state(), State::passed);
}

// A server may answer faster than we ask: what it said before is still looked at.
TEST(ProbeDialogue, answers_that_came_before_the_question_was_out_count) {
  const ProbeScript script = greeting();
  ProbeDialogue dialogue(script);
  dialogue.received("220 x\r\n221 y\r\n");
  send_all(dialogue);
  EXPECT_EQ(dialogue.state(), State::passed);
}

TEST(ProbeDialogue, match_is_found_however_it_is_cut) {
  const ProbeScript script = {ExpectStep{"aab"}, ExpectStep{"c"}};
  const std::string answer = "xaaaabyc";
  for (size_t first = 0; first <= answer.size(); ++first) {
    for (size_t second = first; second <= answer.size(); ++second) {
      ProbeDialogue dialogue(script);
      dialogue.received(answer.substr(0, first));
      dialogue.received(answer.substr(first, second - first));
      if (dialogue.state() == State::expecting) dialogue.received(answer.substr(second));
      EXPECT_EQ(dialogue.state(), State::passed) << first << ' ' << second;
    }
  }
}

TEST(ProbeDialogue, missing_answer_and_wrong_answer_are_told_apart) {
  const ProbeScript script = greeting();
  ProbeDialogue dialogue(script);
  EXPECT_FALSE(dialogue.has_unmatched_answer());
  dialogue.received("2");
  EXPECT_TRUE(dialogue.has_unmatched_answer());
  dialogue.received("20 mail ready");
  send_all(dialogue);
  EXPECT_FALSE(dialogue.has_unmatched_answer()) << "the rest of the greeting answers no question";
  dialogue.received("5");
  EXPECT_TRUE(dialogue.has_unmatched_answer());
}

TEST(ProbeDialogue, too_long_an_answer_is_a_mismatch) {
  const ProbeScript script = {ExpectStep{"end"}};
  ProbeDialogue dialogue(script);
  const std::string chunk(4096, 'x');
  size_t heard = 0;
  while (dialogue.state() == State::expecting) {
    dialogue.received(chunk);
    heard += chunk.size();
    ASSERT_LE(heard, ProbeDialogue::kAnswerBytesMax + chunk.size());
  }
  EXPECT_EQ(dialogue.state(), State::mismatch);
  EXPECT_GT(heard, ProbeDialogue::kAnswerBytesMax);
}

TEST(ProbeDialogue, status_decides_before_the_headers_are_there) {
  const ProbeScript script = http();
  ProbeDialogue good(script);
  good.received("HTTP/1.1 204 No Content\r\n");
  EXPECT_EQ(good.state(), State::passed);
  ProbeDialogue bad(script);
  bad.received("HTTP/1.0 503 Service Unavailable\r\n");
  EXPECT_EQ(bad.state(), State::mismatch);
}

TEST(ProbeDialogue, statuses_are_codes_and_ranges) {
  const ProbeScript script = http({{200, 200}, {300, 302}});
  const auto state_after = [&script](int code) {
    ProbeDialogue dialogue(script);
    dialogue.received("HTTP/1.1 " + std::to_string(code) + " x\r\n\r\n");
    return dialogue.state();
  };
  for (const int code : {200, 300, 301, 302}) EXPECT_EQ(state_after(code), State::passed) << code;
  for (const int code : {101, 201, 299, 303, 404, 500, 999}) {
    EXPECT_EQ(state_after(code), State::mismatch) << code;
  }
}

TEST(ProbeDialogue, interim_answers_are_skipped_but_not_for_ever) {
  const ProbeScript script = http();
  ProbeDialogue dialogue(script);
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
  dialogue.received(interim + interim + "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(dialogue.state(), State::passed);
  ProbeDialogue endless(script);
  size_t heard = 0;
  while (endless.state() == State::expecting) {
    endless.received(interim);
    heard += interim.size();
    ASSERT_LE(heard, 2 * ProbeDialogue::kAnswerBytesMax);
  }
  EXPECT_EQ(endless.state(), State::mismatch);
}

TEST(ProbeDialogue, a_verdict_does_not_depend_on_the_pieces) {
  const std::vector<std::string> answers = {
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nServer: x\r\n\r\nbody",
      "HTTP/1.1 103 Early Hints\r\nbroken header\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
      "HTTP/1.1 500 \r\n\r\n",
      "HTTP/2.0 200 OK\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2p1\r\n",
      "HTTP/1.1 20\n",
  };
  constexpr uint64_t kSeed = 5;
  Random random(kSeed);
  for (const std::string& answer : answers) {
    const ProbeScript script = http();
    ProbeDialogue whole(script);
    whole.received(answer);
    for (int round = 0; round < 200; ++round) {
      ProbeDialogue pieces(script);
      for (size_t at = 0; at < answer.size() && pieces.state() == State::expecting;) {
        const size_t size = 1 + random.below(9);
        pieces.received(std::string_view(answer).substr(at, size));
        at += size;
      }
      ASSERT_EQ(pieces.state(), whole.state()) << answer << " seed " << kSeed;
    }
  }
}

}  // namespace
}  // namespace sluice
