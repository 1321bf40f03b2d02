// Values in lines of text that programs read back.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

// Appends a value of `key=value`: as it is, or as a JSON string where it would not be clear where
// it ends, or what it says (`-` stands for none).
void append_log_value(std::string& out, std::string_view text);

// Appends text that must stay on its line: control characters are escaped as in JSON.
void append_one_line(std::string& out, std::string_view text);

// Appends the inside of a JSON string, for whoever writes the quotes.
void append_escaped(std::string& out, std::string_view text);

}  // namespace sluice
