// `${NAME}` in values.
#include <gtest/gtest.h>

#include "support.h"

namespace sluice::test {
namespace {

std::string log_file(std::string_view value, const Variables& variables = {}) {
  return config_of(file_with(fmt::format("log: {{file: {}}}", value)), variables).log.file;
}

TEST(Variables, are_replaced_after_parsing) {
  EXPECT_EQ(log_file("\"/a/${DIR}/b\"", {{"DIR", "x: {y}, #"}}), "/a/x: {y}, #/b");
  EXPECT_EQ(log_file("\"${A}${B}\"", {{"A", "1"}, {"B", "2"}}), "12");
}

TEST(Variables, fill_any_kind_of_value) {
  const Config config =
      config_of(R"(workers: ${WORKERS}
listeners: [{name: web, address: "0.0.0.0:${PORT}", cluster: web, idle_timeout: "${IDLE}"}]
clusters: [{name: web, backends: ["${HOST}:80"]}]
)",
                {{"WORKERS", "3"}, {"PORT", "81"}, {"IDLE", "off"}, {"HOST", "10.1.1.1"}});
  EXPECT_EQ(config.workers, 3U);
  EXPECT_EQ(config.listeners[0].addresses[0].port(), 81);
  EXPECT_FALSE(config.listeners[0].idle_timeout);
  EXPECT_EQ(config.clusters[0].backends[0].name, "10.1.1.1:80");
}

TEST(Variables, default_is_for_unset_and_empty) {
  EXPECT_EQ(log_file("\"${NAME:-/b}\""), "/b");
  EXPECT_EQ(log_file("\"${NAME:-/b}\"", {{"NAME", ""}}), "/b");
  EXPECT_EQ(log_file("\"${NAME:-/b}\"", {{"NAME", "/c"}}), "/c");
  EXPECT_EQ(log_file("\"a${NAME:-}\""), "a");
}

TEST(Variables, two_dollars_are_one) {
  EXPECT_EQ(log_file("a$$b"), "a$b");
  EXPECT_EQ(log_file("\"$${NAME}\""), "${NAME}");
}

TEST(Variables, what_they_stand_for_is_not_looked_at_again) {
  EXPECT_EQ(log_file("\"${NAME}\"", {{"NAME", "${OTHER}$$"}}), "${OTHER}$$");
}

TEST(Variables, undefined_is_an_error_at_its_column) {
  EXPECT_EQ(
      problems_of(file_with("log: {file: \"a$$b${KNOWN}\\t${NAME}\"}"), {{"KNOWN", "$"}}),
      Lines{"2:28+7 error: the environment variable 'NAME' is not set; ${NAME:-default} gives it a "
            "default"});
  EXPECT_EQ(
      problems_of(file_with("workers: ${NAME}")),
      Lines{"2:10+7 error: the environment variable 'NAME' is not set; ${NAME:-default} gives it a "
            "default"});
}

TEST(Variables, undefined_is_one_error_whatever_it_was_to_be) {
  EXPECT_EQ(problems_of(file_with("log: ${NAME}")).size(), 1U);
  EXPECT_EQ(problems_of(file_with("access_log: {format: \"${NAME}\", file: \"${NAME}\"}")).size(),
            2U);
  EXPECT_EQ(problems_of("listeners: [{name: a, address: \"${A}\", cluster: \"${B}\"}, \"${C}\"]\n"
                        "clusters: [{name: \"${D}\", backends: [\"${E}\", {address: \"${F}\"}]}]\n")
                .size(),
            6U);
}

TEST(Variables, none_are_defined_without_an_environment) {
  EXPECT_EQ(read_config(file_with("workers: ${NAME}"), nullptr).problems.size(), 1U);
}

TEST(Variables, undefined_in_a_block_of_text_is_found_there) {
  EXPECT_EQ(
      problems_of(file_with("log:\n  file: |\n    one\n    two ${NAME}")),
      Lines{"5:9+7 error: the environment variable 'NAME' is not set; ${NAME:-default} gives it a "
            "default"});
}

TEST(Variables, lone_dollar_is_an_error) {
  const std::string message = "error: '$' begins a variable, as in ${NAME}; a dollar itself is $$";
  EXPECT_EQ(problems_of(file_with("log: {file: a$b}")), Lines{"2:14+1 " + message});
  EXPECT_EQ(problems_of(file_with("log: {file: \"a${b\"}")), Lines{"2:15+1 " + message});
  EXPECT_EQ(problems_of(file_with("log: {file: a$}")), Lines{"2:14+1 " + message});
}

TEST(Variables, names_have_an_alphabet) {
  EXPECT_EQ(problems_of(file_with("log: {file: \"${a-b}\"}")),
            Lines{"2:14+6 error: 'a-b' is not the name of a variable"});
  EXPECT_EQ(problems_of(file_with("log: {file: \"${}\"}")),
            Lines{"2:14+3 error: '' is not the name of a variable"});
}

TEST(Variables, are_not_looked_for_in_keys_and_comments) {
  EXPECT_EQ(problems_of(file_with("# ${NAME}\n\"${NAME}\": 1")),
            Lines{"3:1+9 error: unknown setting '${NAME}'"});
}

TEST(Variables, values_that_are_not_utf8_are_refused) {
  EXPECT_EQ(problems_of(file_with("log: {file: \"${NAME}\"}"), {{"NAME", "\xFF"}}),
            Lines{"2:14+7 error: the environment variable 'NAME' is not UTF-8"});
}

TEST(Variables, cannot_be_used_to_fill_the_memory) {
  std::string text = "log: {file: \"";
  for (int i = 0; i < 100'000; ++i) text += "${NAME}";
  const Lines problems =
      problems_of(file_with(text + "\"}"), {{"NAME", std::string(100'000, 'x')}});
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_TRUE(problems[0].ends_with("error: variables stand for more than 1048576 bytes in all"));
}

}  // namespace
}  // namespace sluice::test
