// A table for people: columns as wide as what is in them, numbers to the right, colours where they
// are wanted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class TextColor : uint8_t { none, good, bad, warning };

struct TextCell {
  std::string text;
  TextColor color = TextColor::none;
};

enum class TextAlign : uint8_t { left, right };

struct TextColumn {
  std::string_view title;
  TextAlign align = TextAlign::left;
};

class TextTable {
 public:
  explicit TextTable(std::vector<TextColumn> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns.
  void add(std::vector<TextCell> row) { rows_.push_back(std::move(row)); }

  std::string render(bool use_color) const;

 private:
  std::vector<TextColumn> columns_;
  std::vector<std::vector<TextCell>> rows_;
};

// `text` in that colour, when colours are used.
std::string colored(std::string_view text, TextColor color, bool use_color);

}  // namespace sluice
