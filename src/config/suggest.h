// "Did you mean": the known name nearest to a mistyped one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

// The nearest of `known` by edit distance (a swap of neighbours counts once), if it is near enough
// to be meant: one edit, or one in three characters.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> known);

// `; did you mean 'interval'?`, or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace sluice
