#include "http_message.h"

#include <strings.h>

#include <algorithm>

#include "sluice/base/json.h"

namespace sluice {
namespace {

bool is_same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
  for (const auto& [its_name, value] : headers) {
    if (is_same_name(its_name, name)) return value;
  }
  return std::nullopt;
}

size_t HttpRequest::header_count(std::string_view name) const {
  return static_cast<size_t>(
      std::count_if(headers.begin(), headers.end(),
                    [name](const auto& header) { return is_same_name(header.first, name); }));
}

HttpAnswer http_error(unsigned status, std::string_view message) {
  HttpAnswer answer;
  answer.status = status;
  JsonWriter json(answer.body);
  json.begin_object();
  json.member("error", message);
  json.end_object();
  answer.body += '\n';
  return answer;
}

HttpAnswer http_json(std::string body, unsigned status) {
  HttpAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  answer.body += '\n';
  return answer;
}

HttpAnswer http_shared_json(SharedText text) {
  HttpAnswer answer;
  answer.shared_body = std::move(text);
  return answer;
}

}  // namespace sluice
