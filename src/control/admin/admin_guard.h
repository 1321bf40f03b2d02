// Who may ask the admin side for what. Looked at, in requests that have passed refuse_head():
//
// - `Host`: a page that has made its own name point to this host (DNS rebinding) is known by that
//   name, so local clients must call us by our address, `localhost` or this machine's own name, on
//   a unix socket too: browsers get there by `ssh -L`. Who comes from elsewhere is not known by
//   what calls us, but by the token.
// - `Origin` and `Sec-Fetch-Site`: a browser says with them which page has sent a request; no other
//   page's are taken.
// - the token: for every change and for secrets when there is one, and for everything that comes
//   from elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "admin_routes.h"
#include "http_message.h"

namespace sluice {

// Not from this host, as far as its address says: has to show the token for all it asks.
bool is_from_elsewhere(const Address& peer);

// A machine's name as local clients may call us by it, or nothing. Nobody can register a name
// without a dot, so no page elsewhere has it; a full name is in somebody's zone, perhaps not its
// machine's.
std::string single_label(std::string host_name);

// Takes as long whatever the texts have in common.
bool is_same_secret(std::string_view given, std::string_view secret);

// How many requests were refused, by the answer's status.
struct AdminRefusals {
  uint64_t unauthorized = 0;  // 401
  uint64_t forbidden = 0;     // 403
};

class AdminGuard {
 public:
  // Without a token only local clients are there, and they may do everything. `own_name` is what
  // this machine is called, or empty.
  explicit AdminGuard(std::string token, std::string own_name = {})
      : token_(std::move(token)), own_name_(std::move(own_name)) {}

  void set_token(const std::string& token) { token_ = token; }

  // The refusal, if it is one.
  std::optional<HttpAnswer> refuse(const HttpRequest& request, AdminNeed need) const;

 private:
  bool needs_token(AdminNeed need, const HttpRequest& request) const;
  bool has_token(const HttpRequest& request) const;

  std::string token_;
  const std::string own_name_;
};

}  // namespace sluice
