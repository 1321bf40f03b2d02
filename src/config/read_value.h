// From a node to a field: one overload for each shape of value. What is wrong becomes a problem at
// the node's place, and the field keeps its default.
#pragma once

#include <fmt/format.h>

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document.h"
#include "problems.h"
#include "scalar.h"
#include "sluice/base/address.h"
#include "type.h"

namespace sluice {

// Where each value that was given stands, by full path: `listeners[0].cluster`, `clusters[1]`.
using Places = std::map<std::string, Place, std::less<>>;

// What is known on the way down the tree.
struct Reading {
  Problems& problems;
  Places& places;
  std::string path;   // of the scope being read, with its dot: `listeners[0].`
  std::string owner;  // the scope for a message: `listener 'web'`; empty for the file itself
  std::string key;    // of the row being read

  void complain(const Place& place, std::string_view what);
};

// The name an unknown key was perhaps meant to be, or where that key belongs.
std::string suggest_setting(std::string_view key, std::span<const std::string_view> known);

std::string expected(const Type& type, const Node& node);

template <typename T>
void read_value(const Node& node, const Type& type, T& out, Reading& reading) {
  if (node.is_broken) return;
  if (!node.is_scalar()) {
    reading.complain(node.place, expected(type, node));
  } else if (const auto complaint = parse_scalar(node.text, type, out)) {
    reading.complain(node.place, *complaint);
  }
}

// A text or, when `type` is a payload, {hex: digits}.
void read_value(const Node& node, const Type& type, std::string& out, Reading& reading);

// `text`, `json` or a template; what is wrong with a template is told at its place in it.
void read_value(const Node& node, const Type& type, AccessLogFormat& out, Reading& reading);

constexpr size_t kValuesMax = 64;  // of one setting

// One value or a list. What is right is kept, unless nothing is.
template <typename T>
void read_value(const Node& node, const Type& type, std::vector<T>& out, Reading& reading) {
  std::vector<T> values;
  const auto read_one = [&](const Node& one) {
    T value;
    const size_t errors_before = reading.problems.errors();
    read_value(one, type, value, reading);
    const bool is_right = !one.is_broken && reading.problems.errors() == errors_before;
    if (is_right) values.push_back(std::move(value));
    return is_right;
  };
  if (node.kind != Node::Kind::list) {
    read_one(node);
  } else if (node.entries.empty()) {
    reading.complain(node.place, "the list is empty");
  } else if (node.entries.size() > kValuesMax) {
    reading.complain(node.place, fmt::format("more than {} values", kValuesMax));
  } else {
    for (const Node::Entry& entry : node.entries) {
      if (!read_one(*entry.value)) continue;
      reading.places[fmt::format("{}{}[{}]", reading.path, reading.key, values.size() - 1)] =
          entry.value->place;
    }
  }
  if (!values.empty()) out = std::move(values);
}

template <typename T>
std::string show_value(const T& value, const Type& type) {
  return format_scalar(value, type);
}

template <typename T>
std::string show_value(const std::vector<T>& values, const Type& type) {
  std::string out;
  for (const T& value : values) out += (out.empty() ? "" : ", ") + format_scalar(value, type);
  return fmt::format("[{}]", out);
}

}  // namespace sluice
