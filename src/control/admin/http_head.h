// What the head of a request may be, whatever it asks for: the rules of HTTP/1.1 (RFC 9112) that
// the library does not enforce, and our limits. Pure.
#pragma once

#include <optional>

#include "http_limits.h"
#include "http_message.h"

namespace sluice {

// The refusal, if it is one: 400, 411, 413, 414 or 431. What passes has each header that something
// is decided by once at most, and no encoding or length of its body that two readers could see
// differently: bodies are not used here, so a coded one is refused.
std::optional<HttpAnswer> refuse_head(const HttpRequest& request, const HttpLimits& limits);

// Of one that has passed.
bool has_body(const HttpRequest& request);

// A target with a scheme and an authority, as proxies get it, becomes a path; its authority is the
// Host then, whatever Host says (RFC 9112, 3.2.2).
void use_origin_form(HttpRequest& request);

}  // namespace sluice
