// The single values in the admin API's answers as people read them. What is not there, or not of
// its type, is a simdjson_error.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "text_table.h"

namespace sluice {

// Fit for a terminal: what would be a command to it becomes a question mark.
std::string printable(std::string_view text);

// A member that is a string, a number, a bool or null.
std::string text(simdjson::dom::element parent, std::string_view key);

std::string duration_text(int64_t ms);
std::string bytes_text(int64_t bytes);

// Of the word for a state, whatever it is the state of.
TextColor color_of(std::string_view state);
TextCell state_cell(simdjson::dom::element parent, std::string_view key);

}  // namespace sluice
