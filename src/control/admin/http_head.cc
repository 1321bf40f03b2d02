#include "http_head.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

namespace sluice {
namespace {

// Something is decided by each of these, so nobody may say two things.
constexpr std::string_view kOnce[] = {"Host",           "Origin",         "Authorization",
                                      "Content-Length", "Sec-Fetch-Site", "Sec-Fetch-Mode",
                                      "Last-Event-ID"};
constexpr std::string_view kHttp = "http://";

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 9110, 5.6.2.
constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(c) || kMarks.find(c) != std::string_view::npos;
  });
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F'; }

bool is_header_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return is_control(c) && c != '\t'; });
}

size_t head_bytes(const HttpRequest& request) {
  constexpr size_t kPerLine = 4;  // colon, space, CR, LF
  size_t bytes = request.method.size() + request.target.size() + request.version.size() + kPerLine;
  for (const auto& [name, value] : request.headers) bytes += name.size() + value.size() + kPerLine;
  return bytes;
}

std::optional<HttpAnswer> refuse_size(const HttpRequest& request, const HttpLimits& limits) {
  if (request.target.size() > limits.target_bytes_max) {
    return http_error(
        414, fmt::format("a request's target has at most {} bytes", limits.target_bytes_max));
  }
  if (request.headers.size() > limits.headers_max) {
    return http_error(431, fmt::format("a request has at most {} headers", limits.headers_max));
  }
  if (head_bytes(request) > limits.head_bytes_max) {
    return http_error(431,
                      fmt::format("a request's head has at most {} bytes", limits.head_bytes_max));
  }
  return std::nullopt;
}

std::optional<HttpAnswer> refuse_form(const HttpRequest& request) {
  if (!is_token(request.method)) return http_error(400, "the request's method is no word");
  const bool is_target = std::none_of(request.target.begin(), request.target.end(),
                                      [](char c) { return is_control(c) || c == ' '; });
  if (!is_target) return http_error(400, "the request's target has a space or worse in it");
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) return http_error(400, "a header's name is no word");
    if (!is_header_value(value)) return http_error(400, "a header has a control character in it");
  }
  for (const std::string_view name : kOnce) {
    if (request.header_count(name) > 1) {
      return http_error(400, fmt::format("there is more than one {}", name));
    }
  }
  if (!request.header("Host") && request.version != "HTTP/1.0") {
    return http_error(400, "there is no Host");
  }
  return std::nullopt;
}

// Nothing here takes a body, and one without a length of its own is where two readers come to
// disagree about where the next request begins.
std::optional<HttpAnswer> refuse_body(const HttpRequest& request, const HttpLimits& limits) {
  if (request.header("Transfer-Encoding")) {
    return http_error(411, "a body has no use here; one must come with a Content-Length");
  }
  const auto text = request.header("Content-Length");
  if (!text) return std::nullopt;
  uint64_t length = 0;
  const auto [stop, error] = std::from_chars(text->data(), text->data() + text->size(), length);
  const bool is_number =
      error != std::errc::invalid_argument && stop == text->data() + text->size();
  if (!is_number) return http_error(400, "Content-Length is no number");
  if (error == std::errc{} && length <= limits.body_bytes_max) return std::nullopt;
  return http_error(413,
                    fmt::format("a request's body has at most {} bytes", limits.body_bytes_max));
}

}  // namespace

std::optional<HttpAnswer> refuse_head(const HttpRequest& request, const HttpLimits& limits) {
  auto refusal = refuse_size(request, limits);
  if (!refusal) refusal = refuse_form(request);
  if (!refusal) refusal = refuse_body(request, limits);
  return refusal;
}

bool has_body(const HttpRequest& request) {
  return request.header("Content-Length").value_or("0") != "0";
}

void use_origin_form(HttpRequest& request) {
  const std::string& target = request.target;
  const bool is_absolute =
      target.size() > kHttp.size() && ::strncasecmp(target.data(), kHttp.data(), kHttp.size()) == 0;
  if (!is_absolute) return;
  const size_t end = std::min(target.find_first_of("/?", kHttp.size()), target.size());
  std::string authority = target.substr(kHttp.size(), end - kHttp.size());
  std::string rest = target.substr(end);
  if (!rest.starts_with('/')) rest.insert(0, 1, '/');
  request.target = std::move(rest);
  std::erase_if(request.headers,
                [](const auto& header) { return ::strcasecmp(header.first.c_str(), "Host") == 0; });
  request.headers.emplace_back("Host", std::move(authority));
}

}  // namespace sluice
