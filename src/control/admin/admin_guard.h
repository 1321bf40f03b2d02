// Who may ask the admin side for what. Looked at, in requests that have passed refuse_head():
//
// - `Host`: a page that has made its own name point to this host (DNS rebinding) is known by that
//   name, so local clients must call us by our address or `localhost`.
// - `Origin` and `Sec-Fetch-Site`: a browser says with them which page has sent a request; no other
//   page's are taken.
// - the token: for every change when there is one, and for everything that comes from elsewhere.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "admin_routes.h"
#include "http_message.h"

namespace sluice {

// Not from this host, as far as its address says: has to show the token for all it asks.
bool is_from_elsewhere(const Address& peer);

// Takes as long whatever the texts have in common.
bool is_same_secret(std::string_view given, std::string_view secret);

class AdminGuard {
 public:
  // Without a token only local clients are there, and they may do everything.
  explicit AdminGuard(std::string token) : token_(std::move(token)) {}

  void set_token(const std::string& token) { token_ = token; }

  // The refusal, if it is one.
  std::optional<HttpAnswer> refuse(const HttpRequest& request, AdminNeed need) const;

 private:
  bool has_token(const HttpRequest& request) const;

  std::string token_;
};

}  // namespace sluice
