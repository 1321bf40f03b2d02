// Reading a configuration in a test, and problems as short lines to compare with.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/reader.h"
#include "sluice/config/report.h"

namespace sluice::test {

using Variables = std::map<std::string, std::string, std::less<>>;

inline ReadResult read(std::string_view text, const Variables& variables = {},
                       const std::vector<Override>& overrides = {}) {
  const Environment environment = [&variables](std::string_view name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  return read_config(text, environment, overrides);
}

// `3:5+4 error: ...`: line, column and width; those without a line begin with the severity.
inline std::string describe(const Problem& problem) {
  const std::string place =
      problem.line == 0 ? ""
                        : fmt::format("{}:{}+{} ", problem.line, problem.column, problem.width);
  return fmt::format("{}{}: {}", place, problem.severity == Severity::error ? "error" : "warning",
                     problem.message);
}

using Lines = std::vector<std::string>;

inline Lines problems_of(std::string_view text, const Variables& variables = {},
                         const std::vector<Override>& overrides = {}) {
  Lines lines;
  for (const Problem& problem : read(text, variables, overrides).problems) {
    lines.push_back(describe(problem));
  }
  return lines;
}

// A valid file to which `settings` are added: at the top level, to its listener or to its cluster.
// Added settings begin on line 2, at the column they would have in a file written by hand.
inline std::string file_with(std::string_view settings) {
  return fmt::format(
      "# a file\n{}\nlisteners: [{{name: web, address: 0.0.0.0:80, cluster: web}}]\n"
      "clusters: [{{name: web, backends: [10.0.0.1:80]}}]\n",
      settings);
}

inline std::string listener_with(std::string_view settings) {
  return fmt::format(
      "listeners: [{{name: web, address: 0.0.0.0:80, cluster: web,\n{}}}]\n"
      "clusters: [{{name: web, backends: [10.0.0.1:80]}}]\n",
      settings);
}

inline std::string cluster_with(std::string_view settings) {
  return fmt::format(
      "clusters: [{{name: web, backends: [10.0.0.1:80],\n{}}}]\n"
      "listeners: [{{name: web, address: 0.0.0.0:80, cluster: web}}]\n",
      settings);
}

// The configuration of a text that must be free of problems.
inline Config config_of(std::string_view text, const Variables& variables = {},
                        const std::vector<Override>& overrides = {}) {
  ReadResult result = read(text, variables, overrides);
  EXPECT_EQ(render_problems("file", text, result.problems), "");
  return result.config.value_or(Config{});
}

inline std::string file_text(const std::string& path_in_source) {
  std::ifstream file(std::string(SLUICE_SOURCE_ROOT "/") + path_in_source, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace sluice::test
