#include "ctl_client.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "sluice/net/socket_address.h"

namespace sluice {
namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;

// Longer than two heartbeats of an event stream.
constexpr timeval kPatience{.tv_sec = 40, .tv_usec = 0};
constexpr uint64_t kBodyBytesMax = uint64_t{256} << 20U;
constexpr uint32_t kHeadBytesMax = 64 * 1024;

tl::unexpected<Error> cannot(std::string_view what, const Address& server, int error) {
  const std::string_view why =
      error == EAGAIN ? "it does not answer" : std::string_view(std::strerror(error));
  return failure(fmt::format("cannot {} {}: {}", what, server.to_string(), why), error);
}

// What a name may stand for; an address stands for itself.
Result<std::vector<Address>> resolve(const Address& server) {
  if (!server.is_name()) return std::vector<Address>{server};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(server.port());
  if (const int error = ::getaddrinfo(server.text().c_str(), port.c_str(), &hints, &found);
      error != 0) {
    return failure(fmt::format("cannot find {}: {}", server.text(), ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  std::vector<Address> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    addresses.push_back(to_address(one->ai_addr, one->ai_addrlen));
  }
  return addresses;
}

bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t bytes = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return false;
    text.remove_prefix(static_cast<size_t>(bytes));
  }
  return true;
}

std::string head_of(const CtlRequest& request, const Address& server) {
  std::string head =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", request.method,
                  request.target, server.is_unix() ? "localhost" : server.to_string());
  if (request.method == "POST") head += "Content-Length: 0\r\n";
  if (!request.token.empty()) head += fmt::format("Authorization: Bearer {}\r\n", request.token);
  return head + "\r\n";
}

// Shows the parser `bytes` from the front; what it has not taken stays. False when it is no HTTP.
bool parse(Parser& parser, std::string& bytes) {
  while (!bytes.empty() && !parser.is_done()) {
    boost::beast::error_code error;
    const size_t taken = parser.put(boost::asio::buffer(bytes), error);
    bytes.erase(0, taken);
    if (error == http::error::need_more) return true;
    if (error) return false;
    if (taken == 0) return true;
  }
  return true;
}

}  // namespace

Result<UniqueFd> CtlClient::connect() const {
  const auto addresses = resolve(server_);
  if (!addresses) return tl::unexpected(addresses.error());
  int error = EADDRNOTAVAIL;
  for (const Address& address : *addresses) {
    const SocketAddress where(address);
    UniqueFd fd(::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    if (::connect(fd.get(), where.data(), where.size()) == 0) return fd;
    error = errno;
  }
  return cannot("reach the admin API at", server_, error);
}

Result<CtlAnswer> CtlClient::ask(const CtlRequest& request) { return exchange(request, nullptr); }

Result<CtlAnswer> CtlClient::follow(const CtlRequest& request, const OnText& on_text) {
  return exchange(request, &on_text);
}

Result<CtlAnswer> CtlClient::exchange(const CtlRequest& request, const OnText* on_text) {
  const auto fd = connect();
  if (!fd) return tl::unexpected(fd.error());
  if (!send_all(fd->get(), head_of(request, server_))) return cannot("ask", server_, errno);
  Parser parser;
  parser.eager(true);
  parser.header_limit(kHeadBytesMax);
  if (on_text == nullptr) {
    parser.body_limit(kBodyBytesMax);
  } else {
    parser.body_limit(boost::none);
  }
  const auto no_http = [this] {
    return failure(fmt::format("what answers at {} is no admin API", server_.to_string()));
  };
  std::array<char, 65536> chunk{};
  std::string unparsed;
  while (!parser.is_done()) {
    const ssize_t bytes = ::recv(fd->get(), chunk.data(), chunk.size(), 0);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return cannot("hear", server_, errno);
    if (bytes == 0) {
      boost::beast::error_code error;
      parser.put_eof(error);
      if (parser.is_done()) break;
      if (parser.is_header_done() && on_text != nullptr) break;  // a stream that was cut
      return no_http();
    }
    unparsed.append(chunk.data(), static_cast<size_t>(bytes));
    if (!parse(parser, unparsed)) return no_http();
    const bool is_streaming =
        on_text != nullptr && parser.is_header_done() && parser.get().result_int() == 200;
    if (!is_streaming) continue;
    const std::string text = std::exchange(parser.get().body(), {});
    if (!text.empty() && !(*on_text)(text)) break;
  }
  return CtlAnswer{.status = parser.get().result_int(), .body = std::move(parser.get().body())};
}

}  // namespace sluice
