#include "sluice/control/http_status.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>

namespace sluice {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kBeginning = "HTTP/1.";
constexpr uint32_t kHeadBytesMax = 8 * 1024;
constexpr unsigned kSwitchingProtocols = 101;

auto as_buffer(std::string_view bytes) { return boost::asio::buffer(bytes.data(), bytes.size()); }

// Nothing can make an answer of bytes that begin otherwise, so there is no need to wait for a line.
bool may_become_status_line(std::string_view bytes) {
  const std::string_view beginning = bytes.substr(0, kBeginning.size());
  return bytes.size() < kHeadBytesMax && kBeginning.starts_with(beginning);
}

bool is_interim(unsigned code) { return code / 100 == 1 && code != kSwitchingProtocols; }

}  // namespace

HttpStatus read_http_status(std::string_view bytes) {
  using State = HttpStatus::State;
  size_t skipped = 0;
  while (true) {
    const std::string_view answer = bytes.substr(skipped);
    const size_t line_end = answer.find('\n');
    if (line_end == std::string_view::npos) {
      const State state = may_become_status_line(answer) ? State::incomplete : State::malformed;
      return {.state = state, .code = 0, .skipped_bytes = skipped};
    }
    // Shown less than a whole line, the parser would next look at it when the whole head is there.
    http::response_parser<http::empty_body> parser;
    parser.header_limit(kHeadBytesMax);
    boost::beast::error_code error;
    const size_t line_bytes = parser.put(as_buffer(answer.substr(0, line_end + 1)), error);
    if (line_bytes == 0) return {.state = State::malformed, .code = 0, .skipped_bytes = skipped};
    const unsigned code = parser.get().result_int();
    if (!is_interim(code)) {
      return {.state = State::complete, .code = code, .skipped_bytes = skipped};
    }
    const size_t field_bytes = parser.put(as_buffer(answer.substr(line_bytes)), error);
    if (!parser.is_header_done()) {
      const bool may_go_on = error == http::error::need_more;
      return {.state = may_go_on ? State::incomplete : State::malformed,
              .code = 0,
              .skipped_bytes = skipped};
    }
    skipped += line_bytes + field_bytes;
  }
}

}  // namespace sluice
