// A blocking HTTP client, as small as one that asks one server one thing may be. Boost.Beast reads
// what is answered. Whoever answers is bounded in time and in bytes.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sluice/base/address.h"
#include "sluice/base/result.h"
#include "sluice/base/unique_fd.h"

namespace sluice {

struct CtlRequest {
  std::string method;
  std::string target;
  std::string token;  // empty: none
};

struct CtlAnswer {
  unsigned status = 0;
  std::string body;
};

class CtlClient {
 public:
  // `server` may be a host name; of an address that stands for all of the server's own it is the
  // one on this host.
  explicit CtlClient(const Address& server);

  // An error is a server that cannot be reached or does not speak HTTP.
  Result<CtlAnswer> ask(const CtlRequest& request);

  // Hands the body over as it comes, while the status is 200 and `on_text` says true. The answer
  // then has no body; one with another status has it.
  using OnText = std::function<bool(std::string_view text)>;
  Result<CtlAnswer> follow(const CtlRequest& request, const OnText& on_text);

 private:
  struct Link {
    UniqueFd fd;
    Address peer;
  };
  Result<Link> connect(const OnText* on_text) const;
  Result<CtlAnswer> exchange(const CtlRequest& request, const OnText* on_text);
  tl::unexpected<Error> cannot(std::string_view what, int error) const;
  tl::unexpected<Error> is_cut_short(std::string_view how) const;
  std::string host_of(const Address& peer) const;

  const Address server_;
};

}  // namespace sluice
