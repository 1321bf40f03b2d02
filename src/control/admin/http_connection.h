// A client of the HTTP server: its socket, what we are waiting for and since when, and the request
// under way. Owned by HttpServer; loop's thread.
#pragma once

#include <microhttpd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "sluice/base/address.h"
#include "sluice/base/time.h"

namespace sluice {

struct HttpCall;

// Whether both are by IP from one address. Clients of a unix socket are let in by its file.
bool is_same_host(const Address& a, const Address& b);

struct HttpConnection {
  enum class Phase : uint8_t {
    asking,     // its request is awaited, or on its way
    answering,  // the answer is awaited, or on its way
    streaming,
    ending,  // cut by us, the library has yet to see it
  };

  MHD_Connection* handle = nullptr;
  int fd = -1;  // the library's
  Address peer;
  Address local;
  std::string who;
  Phase phase = Phase::asking;
  TimePoint since;
  std::unique_ptr<HttpCall> call;  // the request under way

  void move_to(Phase next, TimePoint now);
  // What it has not taken is forgotten when the library closes it: else the kernel would keep it
  // for minutes, for a client that need only not read.
  void drop_unsent() const;
};

}  // namespace sluice
