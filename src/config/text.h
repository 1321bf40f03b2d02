// Small helpers for text that came from outside.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// UTF-8 characters in `text` (of broken UTF-8, the bytes that do not continue one).
size_t count_characters(std::string_view text);

// Where `text` stops being UTF-8 (Unicode 15, table 3-7).
std::optional<size_t> find_invalid_utf8(std::string_view text);

// `text` for a message: cut short when long, control characters and broken UTF-8 made visible.
std::string excerpt(std::string_view text);

// How long the text in quotes at the front of `text` is, with both quotes; nothing when it does not
// end.
std::optional<size_t> quoted_length(std::string_view text);

std::string_view without_carriage_return(std::string_view line);
std::string_view without_byte_order_mark(std::string_view text);

}  // namespace sluice
