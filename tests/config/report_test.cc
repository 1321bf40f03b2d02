// Problems as they are printed.
#include "sluice/config/report.h"

#include <gtest/gtest.h>

#include "support.h"

namespace sluice::test {
namespace {

std::string report_of(std::string_view text, const std::vector<Override>& overrides = {}) {
  return render_problems("conf/sluice.yaml", text, read(text, {}, overrides).problems);
}

TEST(Report, looks_as_the_contract_shows_it) {
  const std::string_view text = R"(listeners:
  - name: web
    address: 0.0.0.0:8080
    cluster: web

clusters:
  - name: web
    backends:
      - 10.0.0.1:80
      - 10.0.0.2:80
    health_check:
      intervall: 5s
    connect_timeout: 5
  - name: spare
    backends: [10.0.0.3:80]
)";
  EXPECT_EQ(
      report_of(text),
      R"(conf/sluice.yaml:12:7: error: unknown setting 'intervall' in health_check; did you mean 'interval'?
   12 |       intervall: 5s
      |       ^~~~~~~~~
conf/sluice.yaml:13:22: error: connect_timeout: a duration needs a unit: 5ms, 5s, 5m or 5h
   13 |     connect_timeout: 5
      |                      ^
conf/sluice.yaml:14:11: warning: no listener uses cluster 'spare'
   14 |   - name: spare
      |           ^~~~~
2 errors, 1 warning
)");
}

TEST(Report, is_nothing_for_nothing) { EXPECT_EQ(report_of(file_with("")), ""); }

TEST(Report, counts_in_the_singular) {
  EXPECT_EQ(count_problems(std::vector<Problem>(1)), "1 error");
  EXPECT_EQ(count_problems(std::vector<Problem>(2)), "2 errors");
  EXPECT_EQ(count_problems(std::vector<Problem>{{.severity = Severity::warning, .message = ""}}),
            "1 warning");
}

TEST(Report, overrides_have_no_line) {
  EXPECT_EQ(report_of(file_with(""), {{"workers", "0"}}),
            "conf/sluice.yaml: error: --set workers=0: workers: '0' is out of range: 1 to 1024\n"
            "1 error\n");
}

TEST(Report, caret_stands_under_tabs_and_wide_characters) {
  EXPECT_EQ(
      report_of("{\"log\":\t{\"file\": \"ä\",\t\"level\": 5}, \"listeners\": [{\"name\": \"a\", "
                "\"address\": \"unix:@a\", \"cluster\": \"c\"}],\n"
                "\"clusters\": [{\"name\": \"c\", \"backends\": [\"10.0.0.1:80\"]}]}\n"),
      "conf/sluice.yaml:1:32: error: log.level: expected debug, info, warning or error, not '5'\n"
      "    1 | {\"log\":\t{\"file\": \"ä\",\t\"level\": 5}, \"listeners\": [{\"name\": \"a\", "
      "\"address\": \"unix:@a\", \"cluster\": \"c\"}],\n"
      "      |        \t             \t         ^\n"
      "1 error\n");
}

TEST(Report, long_lines_show_what_is_around_the_problem) {
  const std::string padding(500, ' ');
  const std::string report = report_of("{" + padding + "\"workers\": 0," + padding + "\"x\": 1}");
  EXPECT_NE(report.find("    1 | ..."), std::string::npos);
  for (size_t at = 0; at < report.size(); at = report.find('\n', at) + 1) {
    EXPECT_LT(report.find('\n', at) - at, 150U);
  }
}

TEST(Report, bytes_a_terminal_acts_on_are_not_shown) {
  const std::string report = report_of("workers: \x1B[31m\xFF\n");
  EXPECT_EQ(report.find('\x1B'), std::string::npos);
  EXPECT_EQ(report_of("log: {level: \"\\e[31mred\"}\nlisteners: []\n").find('\x1B'),
            std::string::npos);
}

TEST(Report, line_ends_of_windows_are_left_out) {
  EXPECT_EQ(report_of("workers: 0\r\nlisteners: []\r\n").find('\r'), std::string::npos);
}

}  // namespace
}  // namespace sluice::test
