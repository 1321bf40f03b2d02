#include "sluice/control/access_line.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "session_records.h"

namespace sluice {
namespace {

using test::finished_session;

constexpr std::string_view kTime = "2026-01-31T12:00:00.123Z";

AccessLogFormat compiled(std::string_view source) {
  std::vector<AccessLogFormat::Problem> problems;
  AccessLogFormat format = AccessLogFormat::compile(source, problems);
  for (const auto& problem : problems) ADD_FAILURE() << problem.message;
  return format;
}

std::string line(const SessionRecord& record, const AccessLogFormat& format) {
  std::string line;
  append_access_line(line, record, kTime, format);
  return line;
}

std::string custom(const SessionRecord& record, std::string_view source) {
  return line(record, compiled(source));
}

std::string text(const SessionRecord& record) { return line(record, AccessLogFormat::text()); }

std::string json(const SessionRecord& record) { return line(record, AccessLogFormat::json()); }

SessionRecord refused_session() {
  SessionRecord record = finished_session();
  record.backend = nullptr;
  record.connect_time.reset();
  record.reason = EndReason::no_backend;
  record.decision.pass_over(Obstacle::health);
  record.decision.pass_over(Obstacle::breaker);
  record.decision.pass_over(Obstacle::breaker);
  return record;
}

TEST(AccessLine, json_has_the_contracts_fields_in_order) {
  EXPECT_EQ(json(finished_session()),
            R"({"time":"2026-01-31T12:00:00.123Z","listener":"front","client":"10.0.0.9:5123",)"
            R"("cluster":"web","backend":"10.0.0.1:80","attempts":2,"received":12,"sent":34,)"
            R"("connect_ms":3,"duration_ms":1500,"reason":"client_closed",)"
            R"("why":{"policy":"round_robin","trial":false,"passed_over":{}}})");
  EXPECT_NE(json(refused_session()).find(R"("passed_over":{"health":1,"breaker":2}}})"),
            std::string::npos);
}

TEST(AccessLine, text_has_the_same_fields) {
  EXPECT_EQ(text(finished_session()),
            "time=2026-01-31T12:00:00.123Z listener=front client=10.0.0.9:5123 cluster=web "
            "backend=10.0.0.1:80 attempts=2 received=12 sent=34 connect_ms=3 duration_ms=1500 "
            "reason=client_closed");
}

TEST(AccessLine, session_without_a_backend_says_so) {
  const SessionRecord record = refused_session();
  EXPECT_NE(json(record).find(R"("backend":null)"), std::string::npos) << json(record);
  EXPECT_NE(json(record).find(R"("connect_ms":null)"), std::string::npos) << json(record);
  EXPECT_NE(text(record).find("backend=- "), std::string::npos) << text(record);
  EXPECT_EQ(custom(record, "%{backend} %{connect_ms}"), "- -");
}

// A backend may be called what its unix socket is called.
TEST(AccessLine, names_with_blanks_quotes_and_line_breaks_are_quoted_in_text) {
  EXPECT_NE(text(finished_session("unix:/run/my app.sock"))
                .find(R"( backend="unix:/run/my app.sock" attempts=)"),
            std::string::npos);
  EXPECT_NE(text(finished_session("a\" reason=\"x\nb")).find(R"( backend="a\" reason=\"x\nb" at)"),
            std::string::npos);
  EXPECT_NE(text(finished_session("-")).find(R"( backend="-" )"), std::string::npos);
}

TEST(AccessLine, template_has_every_field) {
  SessionRecord record = refused_session();
  record.backend = finished_session().backend;
  record.connect_time = std::chrono::milliseconds(3);
  record.decision.is_trial = true;
  EXPECT_EQ(custom(record,
                   "%{time}|%{listener}|%{client}|%{cluster}|%{backend}|%{attempts}|%{received}|"
                   "%{sent}|%{connect_ms}|%{duration_ms}|%{reason}|%{policy}|%{trial}|"
                   "%{passed_over}"),
            "2026-01-31T12:00:00.123Z|front|10.0.0.9:5123|web|10.0.0.1:80|2|12|34|3|1500|"
            "no_backend|round_robin|true|health:1,breaker:2");
  EXPECT_EQ(custom(finished_session(), "%{passed_over} %{trial}"), "- false");
}

TEST(AccessLine, percent_sign_in_a_template_is_two_of_them) {
  EXPECT_EQ(custom(finished_session(), "100%% %{reason}%%%{sent} %%{sent}"),
            "100% client_closed%34 %{sent}");
}

TEST(AccessLine, template_may_be_json_whatever_the_names_hold) {
  const std::string line = custom(finished_session("a \"b\" \\ \n"),
                                  R"({"to":"%{backend}","ms":%{duration_ms},"t":%{trial}})");
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  ASSERT_FALSE(parser.parse(simdjson::padded_string(line)).get(root)) << line;
  EXPECT_EQ(std::string_view(root["to"]), "a \"b\" \\ \n");
  EXPECT_EQ(int64_t(root["ms"]), 1500);
}

TEST(AccessLine, whatever_a_name_holds_a_session_is_one_line) {
  for (int byte = 0; byte < 256; ++byte) {
    const SessionRecord record = finished_session(std::string("x") + static_cast<char>(byte));
    for (const std::string& line :
         {text(record), json(record), custom(record, "%{backend} %{reason}")}) {
      for (const char c : line) {
        ASSERT_GE(static_cast<unsigned char>(c), 0x20) << byte << " in " << line;
      }
    }
  }
}

}  // namespace
}  // namespace sluice
