// Requests and their answers, now and later, and what is refused.
#include <gtest/gtest.h>

#include <string>

#include "http_server_rig.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

TEST_F(HttpServerTest, answers_at_once_with_headers_that_keep_it_from_being_misused) {
  start();
  const std::string answer = hear(ask("/"));
  EXPECT_EQ(status(answer), 200U);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n{}\n"));
  for (const std::string_view header :
       {"Content-Type: application/json\r\n", "Cache-Control: no-store\r\n",
        "X-Content-Type-Options: nosniff\r\n", "X-Frame-Options: DENY\r\n"}) {
    EXPECT_NE(answer.find(header), std::string::npos) << header;
  }
  EXPECT_EQ(status(hear(ask("/refused"))), 403U);
  EXPECT_EQ(status(hear(ask("/refused", "POST"))), 403U);
}

TEST_F(HttpServerTest, an_answer_may_say_itself_how_it_is_kept) {
  start();
  const std::string answer = hear(ask("/kept"));
  EXPECT_NE(answer.find("Cache-Control: no-cache\r\n"), std::string::npos);
  EXPECT_EQ(answer.find("no-store"), std::string::npos);
  EXPECT_NE(answer.find("X-Content-Type-Options: nosniff\r\n"), std::string::npos);
}

TEST_F(HttpServerTest, an_answer_may_come_later_and_only_the_first_counts) {
  limits.sweep_interval = std::chrono::hours(1);  // which would wake it too
  start();
  const UniqueFd client = ask("/later");
  ASSERT_TRUE(run_until(loop(), [&] { return kept.size() == 1; }));
  kept[0](http_error(404, "first"));
  kept[0](http_json("second"));
  const std::string answer = hear(client);
  EXPECT_EQ(status(answer), 404U);
  EXPECT_TRUE(answer.ends_with("{\"error\":\"first\"}\n"));
  kept[0](http_json("third"));  // the request is over
}

TEST_F(HttpServerTest, a_handler_that_does_not_answer_in_time_is_answered_for) {
  limits.handler_time_max = milliseconds(100);
  start();
  const std::string answer = hear(ask("/later"));
  EXPECT_EQ(status(answer), 503U);
  EXPECT_NE(answer.find("no answer in time"), std::string::npos);
  kept[0](http_json("too late"));
}

TEST_F(HttpServerTest, a_client_that_goes_while_its_answer_is_awaited_is_let_go) {
  start();
  UniqueFd client = ask("/later");
  ASSERT_TRUE(run_until(loop(), [&] { return kept.size() == 1; }));
  reset_connection(std::move(client));
  ASSERT_TRUE(run_until(loop(), [&] { return server().connections() == 0; }));
  kept[0](http_json("to nobody"));
}

TEST_F(HttpServerTest, answers_that_are_not_taken_may_not_fill_the_memory) {
  large_bytes = size_t{8} << 20U;
  limits.answer_bytes_max = size_t{10} << 20U;
  start();
  const UniqueFd idle = ask("/large");  // its reader takes its time
  ASSERT_TRUE(hears(idle, "200 OK"));
  const std::string refused = hear(ask("/large"));
  EXPECT_EQ(status(refused), 503U);
  EXPECT_EQ(status(hear(ask("/"))), 200U);
  EXPECT_GT(hear(idle).size(), large_bytes / 2);
  EXPECT_EQ(status(hear(ask("/large"))), 200U);
}

TEST_F(HttpServerTest, a_text_that_many_are_answered_with_counts_once) {
  shared = share_text(std::string(size_t{8} << 20U, 'x'));
  limits.answer_bytes_max = size_t{10} << 20U;
  start();
  std::vector<UniqueFd> idle;
  for (int i = 0; i < 5; ++i) {
    idle.push_back(ask("/shared"));
    EXPECT_TRUE(hears(idle.back(), "200 OK")) << i;
  }
  EXPECT_LE(shared.use_count(), 6) << "nobody has a copy";
  shared = share_text(std::string(size_t{8} << 20U, 'y'));
  EXPECT_EQ(status(hear(ask("/shared"))), 503U) << "another one is one too many";
  idle.clear();
  EXPECT_TRUE(run_until(loop(), [&] { return server().connections() == 0; }));
  EXPECT_EQ(status(hear(ask("/shared"))), 200U);
}

TEST_F(HttpServerTest, answers_that_wait_to_be_sent_count_as_well) {
  limits.answer_bytes_max = 1000;
  start();
  const UniqueFd first = ask("/later");
  const UniqueFd second = ask("/later");
  ASSERT_TRUE(run_until(loop(), [&] { return kept.size() == 2; }));
  for (const HttpReply& reply : kept) reply(http_json(std::string(600, 'x')));
  const unsigned one = status(hear(first)), other = status(hear(second));
  EXPECT_EQ(one + other, 200U + 503U);
}

TEST_F(HttpServerTest, an_answer_that_nobody_reads_is_given_up) {
  large_bytes = size_t{8} << 20U;
  limits.stall_seconds_max = 1;
  start();
  const UniqueFd deaf = ask("/large");
  ASSERT_TRUE(hears(deaf, "200 OK"));
  EXPECT_TRUE(run_until(loop(), [&] { return server().connections() == 0; }));
  std::string rest;
  EXPECT_EQ(receive_to_end(deaf, rest), ReadEnd::reset) << "and the kernel keeps nothing of it";
  EXPECT_LT(rest.size(), large_bytes);
}

TEST_F(HttpServerTest, an_answer_that_is_taken_too_slowly_is_given_up) {
  large_bytes = size_t{64} << 20U;
  limits.answer_time_max = milliseconds(200);
  limits.sweep_interval = milliseconds(50);
  start();
  const UniqueFd slow = ask("/large");
  std::string taken;
  EXPECT_TRUE(run_until(loop(), [&] {
    char byte = 0;
    if (::recv(slow.get(), &byte, 1, MSG_DONTWAIT) == 1) taken += byte;
    return !taken.empty() && server().connections() == 0;
  }));
  EXPECT_EQ(receive_to_end(slow, taken), ReadEnd::reset);
}

TEST_F(HttpServerTest, a_request_that_does_not_come_is_not_awaited_for_ever) {
  limits.request_time_max = milliseconds(100);
  start();
  const UniqueFd silent = connect();
  const UniqueFd slow = connect();
  send_all(slow, "GET / HTTP/1.1\r\nHost: a\r\n");
  ASSERT_TRUE(run_until(loop(), [&] { return server().connections() == 2; }));
  EXPECT_TRUE(run_until(loop(), [&] { return server().connections() == 0; }));
}

constexpr std::string_view kClose = "Host: a\r\nConnection: close\r\n\r\n";

TEST_F(HttpServerTest, a_head_that_breaks_a_rule_is_refused_before_anybody_is_asked) {
  start();
  const std::string get = "GET / HTTP/1.1\r\n";
  const std::vector<std::pair<unsigned, std::string>> refused{
      {400, get + "Connection: close\r\n\r\n"},
      {400, get + "Host: a\r\n" + std::string(kClose)},
      {400, get + "Host : a\r\n\r\n"},
      {400, "GET /a b HTTP/1.1\r\n" + std::string(kClose)},
      {411, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: a\r\n\r\n0\r\n\r\n"},
      {413, "POST / HTTP/1.1\r\nContent-Length: 99999999\r\nHost: a\r\n\r\n"},
      {414, "GET /" + std::string(3000, 'a') + " HTTP/1.1\r\n" + std::string(kClose)},
      {431, get + "X: " + std::string(17000, 'x') + "\r\n" + std::string(kClose)},
  };
  for (const auto& [expected, request] : refused) {
    const std::string answer = hear(say(request));
    EXPECT_EQ(status(answer), expected) << answer;
    EXPECT_NE(answer.find("Content-Type: application/json\r\n"), std::string::npos);
    EXPECT_NE(answer.find("\r\n\r\n{\"error\":\""), std::string::npos);
  }
  EXPECT_EQ(handled, 0U);
}

TEST_F(HttpServerTest, nothing_behind_a_body_of_two_lengths_is_a_request) {
  start();
  const UniqueFd client =
      say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
          "0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status(hear(client)), 411U);
  EXPECT_EQ(handled, 0U);
}

TEST_F(HttpServerTest, requests_that_come_together_are_answered_in_their_order) {
  start();
  std::string both;
  for (const std::string_view target : {"/refused", "/", "/%"}) {
    both += "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  const std::string answers = hear(say(both + "GET / HTTP/1.1\r\n" + std::string(kClose)));
  EXPECT_EQ(status(answers), 403U) << "a refusal does not end the connection";
  EXPECT_EQ(handled, 3U);
  EXPECT_TRUE(answers.ends_with("\r\n\r\n{}\n"));
}

TEST_F(HttpServerTest, a_refused_body_is_not_read_and_ends_the_connection) {
  start();
  const std::string head = "POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n";
  EXPECT_EQ(status(hear(say(head))), 403U);
  EXPECT_EQ(handled, 0U);
}

TEST_F(HttpServerTest, a_target_with_an_authority_is_asked_for_as_a_path) {
  start();
  EXPECT_EQ(status(hear(ask("http://b/refused"))), 403U);
  EXPECT_EQ(status(hear(ask("http://b"))), 200U);
  EXPECT_EQ(last_host, "b");
}

// 40 requests of 5 ms each are 200 ms of work, of which 50 ms may be done at a stretch.
TEST_F(HttpServerTest, much_to_do_takes_its_share_of_the_loops_time_only) {
  limits.work_percent_max = 20;
  work = milliseconds(5);
  start();
  std::string requests;
  for (int i = 0; i < 39; ++i) requests += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const UniqueFd client = say(requests + "GET / HTTP/1.1\r\n" + std::string(kClose));
  const uint64_t begun = uv_hrtime();
  hear(client);
  EXPECT_EQ(handled, 40U);
  EXPECT_GT(Duration(uv_hrtime() - begun), milliseconds(700)) << "(200 - 50 ms) at 20 %";
}

TEST_F(HttpServerTest, work_outside_of_requests_takes_of_the_same_share) {
  limits.work_percent_max = 20;
  start();
  const uint64_t begun = uv_hrtime();
  server().count_work(milliseconds(150));
  server().count_work(milliseconds(50));
  EXPECT_EQ(status(hear(ask("/"))), 200U);
  EXPECT_GT(Duration(uv_hrtime() - begun), milliseconds(700)) << "(200 - 50 ms) at 20 %";
}

TEST_F(HttpServerTest, it_ends_while_it_rests) {
  limits.work_percent_max = 1;
  work = milliseconds(100);
  start();
  const UniqueFd client = ask("/");
  ASSERT_TRUE(run_until(loop(), [&] { return handled == 1; }));
  stop();
  hear(client);
}

TEST_F(HttpServerTest, it_ends_while_requests_and_streams_are_under_way) {
  start();
  pieces = {"hello"};
  const UniqueFd stream = ask("/stream");
  EXPECT_TRUE(hears(stream, "hello"));
  const UniqueFd client = ask("/later");
  ASSERT_TRUE(run_until(loop(), [&] { return kept.size() == 1; }));
  stop();
  kept[0](http_json("to nobody"));
  EXPECT_EQ(hear(client), "");
  hear(stream);
}

}  // namespace
}  // namespace sluice
