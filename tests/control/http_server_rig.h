// The HTTP server on a loop of the test's own, with a handler that answers by what it is asked for.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/http_server.h"
#include "sluice/net/socket_address.h"
#include "sockets.h"
#include "waiting.h"

namespace sluice {

class HttpServerTest : public testing::Test {
 protected:
  ~HttpServerTest() override { server_.reset(); }

  void start() {
    UniqueFd socket = listen_on(loopback());
    address_ = address_of(socket);
    set_nonblocking(socket.get());
    auto opened =
        HttpServer::open(loop_, poller_, std::move(socket), limits,
                         {.check = [this](const HttpRequest& request) { return check(request); },
                          .handle = [this](const HttpRequest& request,
                                           HttpReply reply) { handle(request, std::move(reply)); },
                          .on_shortage = [](std::string_view) {}});
    ASSERT_TRUE(opened) << opened.error().message;
    server_ = std::move(*opened);
  }
  void stop() { server_.reset(); }
  HttpServer& server() { return *server_; }
  Loop& loop() { return loop_; }

  UniqueFd connect() { return connect_to(address_); }
  UniqueFd connect_from(const Address& source) {
    UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const SocketAddress from(source);
    const SocketAddress to(address_);
    EXPECT_EQ(::bind(client.get(), from.data(), from.size()), 0);
    EXPECT_EQ(::connect(client.get(), to.data(), to.size()), 0);
    return client;
  }
  UniqueFd ask(std::string_view target, std::string_view method = "GET") {
    UniqueFd client = connect();
    send_all(client, std::string(method) + " " + std::string(target) +
                         " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    return client;
  }
  UniqueFd say(std::string_view bytes) {
    UniqueFd client = connect();
    send_all(client, bytes);
    return client;
  }
  // Runs the loop until the answer has come, all of it.
  std::string hear(const UniqueFd& client) {
    std::string answer;
    EXPECT_TRUE(run_until(loop_, [&] {
      const ReadEnd end = receive_some(client, answer);
      return end == ReadEnd::end_of_stream || end == ReadEnd::reset;
    }));
    return answer;
  }
  // The same until these words have come.
  bool hears(const UniqueFd& client, std::string_view words) {
    std::string answer;
    return run_until(loop_, [&] {
      receive_some(client, answer);
      return answer.find(words) != std::string::npos;
    });
  }
  static unsigned status(const std::string& answer) {
    return answer.size() < 12 ? 0 : static_cast<unsigned>(std::stoul(answer.substr(9, 3)));
  }

  HttpServer::Limits limits;
  std::vector<HttpReply> kept;      // of /later
  std::vector<std::string> pieces;  // that streams have yet to say, all the same ones
  size_t large_bytes = 0;           // of /large
  SharedText shared;                // of /shared
  size_t handled = 0;
  Duration work{0};  // of each request
  std::string last_host;

 private:
  std::optional<HttpAnswer> check(const HttpRequest& request) const {
    if (request.target == "/refused") return http_error(403, "no");
    return std::nullopt;
  }
  void handle(const HttpRequest& request, HttpReply reply) {
    ++handled;
    for (const uint64_t begun = uv_hrtime(); Duration(uv_hrtime() - begun) < work;) continue;
    last_host = request.header("Host").value_or("");
    if (request.target == "/later") {
      kept.push_back(std::move(reply));
    } else if (request.target == "/large") {
      reply(http_json(std::string(large_bytes, 'x')));
    } else if (request.target == "/shared") {
      reply(http_shared_json(shared));
    } else if (request.target == "/kept") {
      HttpAnswer answer = http_json("{}");
      answer.headers.emplace_back("Cache-Control", "no-cache");
      reply(std::move(answer));
    } else if (request.target == "/stream") {
      HttpAnswer answer;
      answer.stream = [this, next = size_t{0}]() mutable -> std::optional<std::string> {
        return next < pieces.size() ? pieces[next++] : std::string();
      };
      reply(std::move(answer));
    } else {
      reply(http_json("{}"));
    }
  }

  Loop loop_;
  Poller poller_{loop_};
  Address address_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace sluice
