// Collects problems while a text is being read and knows where in the text they are. A place is
// kept as an offset and becomes line and column only for a problem: counting the columns of every
// node of a one-line file would take time quadratic in its length.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/problem.h"
#include "sluice/config/reader.h"

namespace sluice {

struct Place {
  enum class Origin : uint8_t { text, file, override_value };

  Origin origin = Origin::file;
  size_t index = 0;  // byte in the text, or the override's number
  size_t bytes = 0;  // how much of the text; 0: the token that begins there

  static Place file() { return {}; }
  static Place in_text(size_t offset, size_t bytes = 0) { return {Origin::text, offset, bytes}; }
  static Place in_override(size_t number) { return {Origin::override_value, number, 0}; }

  // The part of this place that begins `offset` bytes into it.
  Place part(size_t offset, size_t length) const;
};

class Problems {
 public:
  static constexpr size_t kProblemsMax = 100;  // more help nobody

  // Both outlive this object.
  Problems(std::string_view text, std::span<const Override> overrides);

  void error(const Place& place, std::string message);
  void warning(const Place& place, std::string message);

  std::string_view text() const { return text_; }
  bool has_errors() const { return errors_ > 0; }
  size_t errors() const { return errors_; }
  // From here on problems are only counted.
  bool is_full() const { return problems_.size() >= kProblemsMax; }
  int line_of(const Place& place) const;  // from 1; 0 when it has none

  // In the order of the text.
  std::vector<Problem> take();

 private:
  void add(Severity severity, const Place& place, std::string message);

  const std::string_view text_;
  const std::span<const Override> overrides_;
  std::vector<size_t> line_starts_;
  std::vector<Problem> problems_;
  size_t errors_ = 0;
  size_t left_out_ = 0;
};

}  // namespace sluice
