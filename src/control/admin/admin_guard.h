// Who may ask the admin side for what. Three things are looked at:
//
// - `Host`: a page that has made its own name point to this host (DNS rebinding) is known by that
//   name, so local clients must call us by our address or `localhost`.
// - `Origin`: a browser says with it which page has sent a request; no other page's are taken.
// - the token: for every change when there is one, and for everything that comes from elsewhere.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "admin_routes.h"
#include "http_message.h"
#include "sluice/base/result.h"

namespace sluice {

// The token in the text of a token_file: its first line, of 16 to 1024 visible characters.
Result<std::string> read_token(std::string_view file_text);

// Takes as long whatever the texts have in common.
bool is_same_secret(std::string_view given, std::string_view secret);

class AdminGuard {
 public:
  // Without a token only local clients are there, and they may do everything.
  explicit AdminGuard(std::string token) : token_(std::move(token)) {}

  // The refusal, if it is one.
  std::optional<HttpAnswer> refuse(const HttpRequest& request, AdminNeed need) const;

 private:
  bool has_token(const HttpRequest& request) const;

  const std::string token_;
};

}  // namespace sluice
