#include "sluice/control/command_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice {
namespace {

Command parse(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

int exit_status(const Command& command) {
  const auto* exit = std::get_if<ExitCommand>(&command);
  return exit == nullptr ? -1 : exit->status;
}

TEST(command_line, a_file_alone_means_run) {
  const Command with_word = parse({"sluice", "run", "-c", "a.yaml"});
  const Command without = parse({"sluice", "-c", "a.yaml"});
  ASSERT_TRUE(std::holds_alternative<RunCommand>(with_word));
  ASSERT_TRUE(std::holds_alternative<RunCommand>(without));
  EXPECT_EQ(std::get<RunCommand>(with_word).config_file, "a.yaml");
  EXPECT_EQ(std::get<RunCommand>(without).config_file, "a.yaml");
}

TEST(command_line, settings_are_overridden_in_the_order_given_and_the_named_options_last) {
  const Command command =
      parse({"sluice", "run", "-c", "a.yaml", "--set", "workers=1", "--set",
             "clusters.web.connect_timeout=5s", "--workers", "2", "--log-level", "debug"});
  ASSERT_TRUE(std::holds_alternative<RunCommand>(command));
  const auto& overrides = std::get<RunCommand>(command).overrides;
  ASSERT_EQ(overrides.size(), 4U);
  EXPECT_EQ(overrides[0].path, "workers");
  EXPECT_EQ(overrides[1].path, "clusters.web.connect_timeout");
  EXPECT_EQ(overrides[1].value, "5s");
  EXPECT_EQ(overrides[2].path, "workers");
  EXPECT_EQ(overrides[2].value, "2");
  EXPECT_EQ(overrides[3].path, "log.level");
}

TEST(command_line, check_and_maelstrom_and_demo_are_commands) {
  EXPECT_TRUE(std::holds_alternative<CheckCommand>(parse({"sluice", "check", "-c", "a.yaml"})));
  EXPECT_TRUE(std::holds_alternative<MaelstromCommand>(parse({"sluice", "maelstrom"})));
  const Command demo = parse({"sluice", "demo", "--seconds", "7"});
  ASSERT_TRUE(std::holds_alternative<DemoCommand>(demo));
  EXPECT_EQ(std::get<DemoCommand>(demo).duration, std::chrono::seconds(7));
}

TEST(command_line, the_link_for_harnesses_is_the_node_without_arguments) {
  EXPECT_TRUE(std::holds_alternative<MaelstromCommand>(parse({"/opt/x/sluice-maelstrom"})));
  EXPECT_EQ(exit_status(parse({"/opt/x/sluice-maelstrom", "--version"})), 0);
  EXPECT_EQ(exit_status(parse({"/opt/x/sluice"})), 2);
}

TEST(command_line, the_node_has_options_under_both_names) {
  for (const std::vector<std::string>& name :
       {std::vector<std::string>{"sluice", "maelstrom"}, {"/opt/x/sluice-maelstrom"}}) {
    std::vector<std::string> words = name;
    for (const char* option : {"--manual-clock", "--service", "seq-kv", "--service-timeout", "20"})
      words.emplace_back(option);
    const Command command = parse(words);
    ASSERT_TRUE(std::holds_alternative<MaelstromCommand>(command)) << name.front();
    const auto& node = std::get<MaelstromCommand>(command);
    EXPECT_TRUE(node.manual_clock);
    EXPECT_EQ(node.service, "seq-kv");
    EXPECT_EQ(node.service_timeout, std::chrono::milliseconds(20));
    words.back() = "0";
    EXPECT_EQ(exit_status(parse(words)), 2);
  }
}

TEST(command_line, bad_usage_exits_with_two) {
  EXPECT_EQ(exit_status(parse({"sluice", "run"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "fly"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "run", "-c", "a.yaml", "--no-such-option"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "run", "-c", "a.yaml", "--set", "workers"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "run", "-c", "a.yaml", "--workers", "many"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "run", "-c", "a.yaml", "--workers", "0"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "run", "-c", "a.yaml", "--log-level", "loud"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "demo", "--seconds", "soon"})), 2);
}

TEST(command_line, help_and_version_exit_with_zero) {
  EXPECT_EQ(exit_status(parse({"sluice", "--help"})), 0);
  EXPECT_EQ(exit_status(parse({"sluice", "run", "--help"})), 0);
  EXPECT_EQ(exit_status(parse({"sluice", "--version"})), 0);
}

TEST(command_line, ctl_takes_its_options_before_and_after_the_word) {
  const std::vector<std::vector<std::string>> lines = {
      {"sluice", "ctl", "--admin", "a:1", "--json", "--token-file", "/t", "weight", "c/b", "5"},
      {"sluice", "ctl", "weight", "c/b", "5", "--admin", "a:1", "--json", "--token-file", "/t"}};
  for (const auto& words : lines) {
    const Command command = parse(words);
    ASSERT_TRUE(std::holds_alternative<CtlCommand>(command));
    const auto& ctl = std::get<CtlCommand>(command);
    EXPECT_EQ(ctl.admin, "a:1");
    EXPECT_EQ(ctl.token_file, "/t");
    EXPECT_TRUE(ctl.wants_json);
    EXPECT_EQ(ctl.verb, "weight");
    EXPECT_EQ(ctl.arguments, (std::vector<std::string>{"c/b", "5"}));
  }
}

TEST(command_line, ctl_drains_a_backend_or_the_process_and_not_both) {
  EXPECT_FALSE(std::get<CtlCommand>(parse({"sluice", "ctl", "drain", "c/b"})).is_of_process);
  EXPECT_TRUE(std::get<CtlCommand>(parse({"sluice", "ctl", "drain", "--process"})).is_of_process);
  EXPECT_EQ(exit_status(parse({"sluice", "ctl", "drain"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "ctl", "drain", "c/b", "--process"})), 2);
}

TEST(command_line, a_word_of_ctl_that_a_variable_left_empty_is_bad_usage) {
  for (const char* word : {"ready", "drain", "maintenance", "trip", "reset", "close"}) {
    EXPECT_EQ(exit_status(parse({"sluice", "ctl", word, ""})), 2) << word;
  }
  EXPECT_EQ(exit_status(parse({"sluice", "ctl", "weight", "", "3"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "ctl", "weight", "c/b", ""})), 2);
}

TEST(command_line, ctl_without_a_word_or_with_a_wrong_one_is_bad_usage) {
  EXPECT_EQ(exit_status(parse({"sluice", "ctl"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "ctl", "explode"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "ctl", "trip"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "ctl", "weight", "c/b"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "ctl", "weight", "c/b", "much"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "ctl", "weight", "c/b", "1001"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "ctl", "weight", "c/b", "-1"})), 2);
  EXPECT_EQ(exit_status(parse({"sluice", "ctl", "--help"})), 0);
  EXPECT_EQ(exit_status(parse({"sluice", "ctl", "drain", "--help"})), 0);
}

}  // namespace
}  // namespace sluice
