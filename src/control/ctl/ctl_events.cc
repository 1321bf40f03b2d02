#include "ctl_events.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "ctl_text.h"

namespace sluice {

using simdjson::dom::element;

std::string CtlEventReader::take(std::string_view text) {
  std::string out;
  unfinished_ += text;
  size_t begin = 0;
  for (size_t end = unfinished_.find('\n'); end != std::string::npos;
       end = unfinished_.find('\n', begin)) {
    take_line(std::string_view(unfinished_).substr(begin, end - begin), out);
    begin = end + 1;
  }
  unfinished_.erase(0, begin);
  return out;
}

void CtlEventReader::take_line(std::string_view line, std::string& out) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto field = [&](std::string_view name, std::string& into) {
    if (!line.starts_with(name)) return;
    into = line.substr(name.size());
    if (into.starts_with(' ')) into.erase(0, 1);
  };
  field("id:", last_id_);
  field("event:", event_);
  field("data:", data_);
  if (!line.empty()) return;
  const bool is_told = event_ == "transition" || event_ == "missed";
  if (is_told) out += form_ == Form::json ? data_ + "\n" : render();
  event_.clear();
  data_.clear();
}

std::string CtlEventReader::render() const {
  try {
    simdjson::dom::parser parser;
    const element event = parser.parse(data_);
    if (event_ == "missed") {
      return fmt::format("{} events were missed\n", text(event, "missed"));
    }
    const std::string to = text(event, "to");
    std::string line =
        fmt::format("{} {} {} of {}: {} -> {}: {}", text(event, "time"), text(event, "cluster"),
                    text(event, "kind"), text(event, "backend"), text(event, "from"),
                    colored(to, color_of(to), use_color_), text(event, "why"));
    if (!event["retry_at"].is_null()) line += "; next trial at " + text(event, "retry_at");
    return line + "\n";
  } catch (const simdjson::simdjson_error&) {
    return printable(data_) + "\n";
  }
}

}  // namespace sluice
