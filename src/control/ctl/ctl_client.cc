#include "ctl_client.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "sluice/net/socket_address.h"

namespace sluice {
namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;

// How long nothing may come: an answer is there soon or never, a stream has a heartbeat in twice
// that time.
constexpr timeval kAnswerSilenceMax{.tv_sec = 10, .tv_usec = 0};
constexpr timeval kStreamSilenceMax{.tv_sec = 40, .tv_usec = 0};
// How long an answer may take that comes bit by bit.
constexpr std::chrono::seconds kAnswerTimeMax{60};
constexpr uint64_t kBodyBytesMax = uint64_t{256} << 20U;
constexpr uint32_t kHeadBytesMax = 64 * 1024;
constexpr std::string_view kBegin = "HTTP/1.";

std::string_view what_to_do(const Address& server, int error) {
  switch (error) {
    case ECONNREFUSED:
    case ENOENT:
      return ": is the server running, and is this its admin.address?";
    case EACCES:
    case EPERM:
      return server.is_unix() ? ": its file is for its owner and group only, so be one of them"
                              : "";
    default:
      return "";
  }
}

// 0.0.0.0 and :: are where a server listens, not where it is: a request would call it by a name
// that it does not know.
Address where_it_is(const Address& server) {
  const auto& bytes = server.bytes();
  const bool is_any =
      server.is_ip() && std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
  if (!is_any) return server;
  if (server.kind() == Address::Kind::ipv4) return Address::ipv4({127, 0, 0, 1}, server.port());
  std::array<uint8_t, 16> loopback{};
  loopback.back() = 1;
  return Address::ipv6(loopback, server.port());
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

std::string head_of(const CtlRequest& request, const std::string& host) {
  std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
                                 request.method, request.target, host);
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

CtlClient::CtlClient(const Address& server) : server_(where_it_is(server)) {}

tl::unexpected<Error> CtlClient::cannot(std::string_view what, int error) const {
  // What a blocking call with a time limit says when it is over.
  const bool is_silent = error == EAGAIN || error == EINPROGRESS || error == ETIMEDOUT;
  const std::string_view why =
      is_silent ? "it does not answer" : std::string_view(std::strerror(error));
  return failure(
      fmt::format("cannot {} {}: {}{}", what, server_.to_string(), why, what_to_do(server_, error)),
      error);
}

tl::unexpected<Error> CtlClient::is_cut_short(std::string_view how) const {
  return failure(fmt::format("{} has ended the connection {}", server_.to_string(), how));
}

// A server that is reached by loopback wants to be called so, or else it could be a page's doing
// (DNS rebinding): a name of this host's may be one it does not know.
std::string CtlClient::host_of(const Address& peer) const {
  if (peer.is_unix()) return "localhost";
  return server_.is_name() && !peer.is_loopback() ? server_.to_string() : peer.to_string();
}

Result<CtlClient::Link> CtlClient::connect(const OnText* on_text) const {
  const auto addresses = resolve(server_);
  if (!addresses) return tl::unexpected(addresses.error());
  const timeval& silence_max = on_text == nullptr ? kAnswerSilenceMax : kStreamSilenceMax;
  int error = EADDRNOTAVAIL;
  for (const Address& address : *addresses) {
    const SocketAddress where(address);
    UniqueFd fd(::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &silence_max, sizeof silence_max);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kAnswerSilenceMax, sizeof kAnswerSilenceMax);
    if (::connect(fd.get(), where.data(), where.size()) == 0) {
      return Link{.fd = std::move(fd), .peer = address};
    }
    error = errno;
  }
  return cannot("reach the admin API at", error);
}

Result<CtlAnswer> CtlClient::ask(const CtlRequest& request) { return exchange(request, nullptr); }

Result<CtlAnswer> CtlClient::follow(const CtlRequest& request, const OnText& on_text) {
  return exchange(request, &on_text);
}

Result<CtlAnswer> CtlClient::exchange(const CtlRequest& request, const OnText* on_text) {
  const auto link = connect(on_text);
  if (!link) return tl::unexpected(link.error());
  const int fd = link->fd.get();
  if (!send_all(fd, head_of(request, host_of(link->peer)))) return cannot("ask", errno);
  Parser parser;
  parser.eager(true);
  parser.header_limit(kHeadBytesMax);
  parser.body_limit(boost::none);  // of a stream there is none; what is kept is bounded below
  const auto no_http = [this] {
    return failure(fmt::format("what answers at {} is no admin API", server_.to_string()));
  };
  const auto begun = std::chrono::steady_clock::now();
  std::array<char, 65536> chunk{};
  std::string unparsed;
  std::string beginning;  // of all that comes, as much as shows whether it is HTTP
  while (!parser.is_done()) {
    const ssize_t bytes = ::recv(fd, chunk.data(), chunk.size(), 0);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return cannot("hear", errno);
    if (bytes == 0) {
      // Beast aborts when it is told of the end of nothing.
      if (beginning.empty()) return is_cut_short("without an answer");
      boost::beast::error_code error;
      parser.put_eof(error);
      if (parser.is_done()) break;
      if (parser.is_header_done() && on_text != nullptr) break;  // a stream that was cut
      if (!kBegin.starts_with(beginning)) return no_http();
      return is_cut_short("in the midst of its answer");
    }
    unparsed.append(chunk.data(), static_cast<size_t>(bytes));
    beginning.append(chunk.data(), std::min<size_t>(static_cast<size_t>(bytes), kBegin.size()));
    beginning.resize(std::min(beginning.size(), kBegin.size()));
    if (!parse(parser, unparsed)) return no_http();
    std::string& body = parser.get().body();
    if (body.size() > kBodyBytesMax) return no_http();
    const bool is_streaming =
        on_text != nullptr && parser.is_header_done() && parser.get().result_int() == 200;
    if (!is_streaming) {
      if (std::chrono::steady_clock::now() - begun > kAnswerTimeMax) return cannot("hear", EAGAIN);
      continue;
    }
    const std::string text = std::exchange(body, {});
    if (!text.empty() && !(*on_text)(text)) break;
  }
  return CtlAnswer{.status = parser.get().result_int(), .body = std::move(parser.get().body())};
}

}  // namespace sluice
