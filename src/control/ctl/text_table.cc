#include "text_table.h"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::string_view kGap = "  ";

// Characters, not bytes: names may be written in UTF-8.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string_view begin_color(TextColor color) {
  switch (color) {
    case TextColor::none:
      return "";
    case TextColor::good:
      return "\x1b[32m";
    case TextColor::bad:
      return "\x1b[31m";
    case TextColor::warning:
      return "\x1b[33m";
  }
  return "";
}

}  // namespace

std::string colored(std::string_view text, TextColor color, bool use_color) {
  if (!use_color || color == TextColor::none) return std::string(text);
  return std::string(begin_color(color)).append(text).append("\x1b[0m");
}

std::string TextTable::render(bool use_color) const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = width_of(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, width_of(row[i].text));
    widths.push_back(width);
  }
  std::string out;
  const auto append = [&](size_t i, const TextCell& cell) {
    const std::string padding(widths[i] - width_of(cell.text), ' ');
    if (i > 0) out += kGap;
    if (columns_[i].align == TextAlign::right) out += padding;
    out += colored(cell.text, cell.color, use_color);
    const bool is_last = i + 1 == columns_.size();
    if (columns_[i].align == TextAlign::left && !is_last) out += padding;
    if (is_last) out += '\n';
  };
  for (size_t i = 0; i < columns_.size(); ++i) append(i, {std::string(columns_[i].title)});
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) append(i, row[i]);
  }
  return out;
}

}  // namespace sluice
