#include "sluice/control/http_status.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

using State = HttpStatus::State;

State state_of(std::string_view answer) { return read_http_status(answer).state; }

TEST(HttpStatus, complete_with_the_status_line) {
  const HttpStatus status = read_http_status("HTTP/1.1 418 I'm a teapot\r\n");
  EXPECT_EQ(status.state, State::complete);
  EXPECT_EQ(status.code, 418U);
  EXPECT_EQ(read_http_status("HTTP/1.0 200 \r\nServer: x").code, 200U);
  EXPECT_EQ(read_http_status("HTTP/1.1 200 caf\xC3\xA9\r\n").code, 200U);
}

TEST(HttpStatus, every_part_of_a_status_line_may_go_on) {
  const std::string line = "HTTP/1.1 200 OK\r\n";
  for (size_t size = 0; size < line.size(); ++size) {
    EXPECT_EQ(state_of(line.substr(0, size)), State::incomplete) << size;
  }
}

// Nobody has to wait for the end of a line, or for a timeout.
TEST(HttpStatus, what_cannot_become_one_is_malformed_at_the_first_wrong_byte) {
  for (const std::string_view answer : {"S", "SSH-2.0", "HTTQ", "HTTP/2", "http/1.1", "\r", " ",
                                        "\n", "ICY 200 OK\r\n", "\x15\x03\x01"}) {
    EXPECT_EQ(state_of(answer), State::malformed) << answer;
  }
}

TEST(HttpStatus, broken_lines_are_malformed) {
  for (const std::string_view answer :
       {"HTTP/1.1 2x0 OK\r\n", "HTTP/1.1 20 OK\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1  200 OK\r\n",
        "HTTP/1.1 OK\r\n", "HTTP/1.2 200 OK\r\n", "HTTP/1. 200 OK\r\n", "HTTP/1.1 200 OK\n\r\n",
        "HTTP/1.1 200 O\x01K\r\n", "HTTP/1.1-200 OK\r\n"}) {
    EXPECT_EQ(state_of(answer), State::malformed) << answer;
  }
}

TEST(HttpStatus, a_line_without_end_is_malformed) {
  EXPECT_EQ(state_of("HTTP/1.1 200 " + std::string(4000, 'x')), State::incomplete);
  EXPECT_EQ(state_of("HTTP/1.1 200 " + std::string(8192, 'x')), State::malformed);
  EXPECT_EQ(state_of("HTTP/1.1 200 " + std::string(9000, 'x') + "\r\n"), State::malformed);
}

TEST(HttpStatus, interim_answers_are_skipped_whole) {
  const std::string interim = "HTTP/1.1 100 Continue\r\nA: b\r\n\r\n";
  const HttpStatus status = read_http_status(interim + interim + "HTTP/1.1 204 No Content\r\n");
  EXPECT_EQ(status.state, State::complete);
  EXPECT_EQ(status.code, 204U);
  EXPECT_EQ(status.skipped_bytes, 2 * interim.size());
  for (size_t size = 0; size < interim.size(); ++size) {
    EXPECT_EQ(state_of(interim.substr(0, size)), State::incomplete) << size;
  }
}

TEST(HttpStatus, a_broken_interim_answer_is_malformed) {
  EXPECT_EQ(state_of("HTTP/1.1 100 Continue\r\nno colon\r\n\r\nHTTP/1.1 200 OK\r\n"),
            State::malformed);
  const std::string field = "A: " + std::string(100, 'b') + "\r\n";
  std::string huge = "HTTP/1.1 100 Continue\r\n";
  for (int i = 0; i < 100; ++i) huge += field;
  EXPECT_EQ(state_of(huge + "\r\nHTTP/1.1 200 OK\r\n"), State::malformed);
  EXPECT_EQ(state_of(huge), State::malformed);
}

TEST(HttpStatus, switching_protocols_is_an_answer) {
  const HttpStatus status = read_http_status("HTTP/1.1 101 Switching Protocols\r\n");
  EXPECT_EQ(status.state, State::complete);
  EXPECT_EQ(status.code, 101U);
}

}  // namespace
}  // namespace sluice
