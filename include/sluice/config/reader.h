// Reads a configuration from text. It opens no file and looks at no environment but the one it is
// given: whoever calls brings the bytes. Any thread; nothing is kept between calls.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/config.h"
#include "sluice/config/problem.h"

namespace sluice {

// A longer text is refused unread: room for 30,000 backends, and little enough that the worst text
// of this length is dealt with in a fraction of a second.
constexpr size_t kConfigBytesMax = size_t{2} << 20U;

// One setting given from outside the file: `clusters.web.connect_timeout=500ms`. Members of a list
// are called by name (a backend also by its address) or by their index from 0.
struct Override {
  std::string path;
  std::string value;
};

// What `${NAME}` stands for; nothing when it is not defined.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

struct ReadResult {
  std::optional<Config> config;   // nothing when there is an error
  std::vector<Problem> problems;  // in the order of the text; those without a line come last
};

// Of YAML syntax the first error is reported, of meaning all of them (up to a hundred).
ReadResult read_config(std::string_view text, const Environment& environment,
                       std::span<const Override> overrides = {});

}  // namespace sluice
