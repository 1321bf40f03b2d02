// A request as HTTP has it and the answer to one. Plain values.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/address.h"

namespace sluice {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;
  std::string target;  // as sent: path and query, nothing decoded
  std::string version = "HTTP/1.1";
  HttpHeaders headers;
  Address peer;   // of a unix socket's client: where it came in
  Address local;  // where it came in
  std::string who =
      {};  // its sender, for a log: the peer, or whose process is at a unix socket's end

  // The first value of that name, in whatever case it was written; nothing when there is none.
  std::optional<std::string_view> header(std::string_view name) const;
  size_t header_count(std::string_view name) const;
};

// One text that many are answered with: it is in memory once.
using SharedText = std::shared_ptr<const std::string>;
inline SharedText share_text(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

struct HttpAnswer {
  unsigned status = 200;
  std::string body;
  SharedText shared_body;  // in place of `body`
  std::string content_type = "application/json";
  HttpHeaders headers;
  // In place of a body, one without an end: asked for its next piece whenever the reader can take
  // more. An empty piece: nothing yet, ask again when streams are woken. No value: it is over.
  std::function<std::optional<std::string>()> stream;

  const std::string& text() const { return shared_body ? *shared_body : body; }
};

// {"error": message}
HttpAnswer http_error(unsigned status, std::string_view message);
HttpAnswer http_json(std::string body, unsigned status = 200);
// `text` ends its last line.
HttpAnswer http_shared_json(SharedText text);

// To be called once, at once or later, on the loop's thread. Does nothing when the client has gone.
using HttpReply = std::function<void(HttpAnswer)>;

}  // namespace sluice
