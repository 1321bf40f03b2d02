#include "sluice/net/socket_address.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <new>
#include <string>

#include "sockets.h"

namespace sluice {
namespace {

TEST(SocketAddress, goes_to_the_kernels_form_and_back) {
  std::array<uint8_t, 16> link_local{0xfe, 0x80};
  link_local.back() = 7;
  for (const Address& address :
       {Address::ipv4({10, 1, 2, 3}, 8080), ipv6_loopback(65535), Address::ipv6(link_local, 80, 3),
        Address::unix_path("/run/a.sock"),
        Address::unix_path(std::string(Address::kUnixPathMax, 'p')), Address::unix_abstract("name"),
        Address::unix_abstract(std::string("a\0b", 3)),
        Address::unix_abstract(std::string(Address::kUnixPathMax, 'n'))}) {
    const SocketAddress socket_address(address);
    EXPECT_EQ(to_address(socket_address.data(), socket_address.size()), address)
        << address.to_string();
  }
}

TEST(SocketAddress, path_ends_where_it_ends_whatever_was_in_memory_before) {
  const std::string path(40, 'p');
  // In memory that is anything but zero, as a stack is.
  alignas(SocketAddress) std::array<unsigned char, sizeof(SocketAddress)> memory{};
  memory.fill(0xAA);
  const auto* address = new (memory.data()) SocketAddress(Address::unix_path(path));
  const auto* name = reinterpret_cast<const sockaddr_un*>(address->data());
  EXPECT_EQ(std::string_view(name->sun_path, path.size() + 1), path + '\0');
  address->~SocketAddress();
}

TEST(SocketAddress, longest_unix_names_are_the_kernels_own) {
  for (const std::string prefix : {"", "/tmp/"}) {
    std::string text = prefix + std::to_string(::getpid()) + "-";
    text.resize(Address::kUnixPathMax, 'x');
    const Address address =
        prefix.empty() ? Address::unix_abstract(text) : Address::unix_path(text);
    const UniqueFd listening = listen_on(address);
    EXPECT_EQ(address_of(listening), address);
    EXPECT_TRUE(connect_to(address));
    if (!prefix.empty()) ::unlink(text.c_str());
  }
}

TEST(SocketAddress, has_the_family_of_its_kind) {
  EXPECT_EQ(SocketAddress(loopback(1)).family(), AF_INET);
  EXPECT_EQ(SocketAddress(ipv6_loopback(1)).family(), AF_INET6);
  EXPECT_EQ(SocketAddress(Address::unix_path("/x")).family(), AF_UNIX);
}

std::string client_as_logged(const Address& address) {
  const UniqueFd listening = listen_on(address);
  const UniqueFd client = connect_to(address_of(listening));
  PeerAddress peer;
  socklen_t size = PeerAddress::capacity();
  const UniqueFd accepted(::accept(listening.get(), peer.data(), &size));
  EXPECT_TRUE(accepted);
  if (address.is_ip()) {
    EXPECT_EQ(peer.to_string(), address_of(client).to_string());
  }
  return peer.to_string();
}

TEST(PeerAddress, is_what_accept_says) {
  EXPECT_EQ(client_as_logged(loopback()).substr(0, 10), "127.0.0.1:");
  EXPECT_EQ(client_as_logged(ipv6_loopback()).substr(0, 6), "[::1]:");
  EXPECT_EQ(client_as_logged(unused_abstract_name()), "unix:");
}

TEST(PeerAddress, client_bound_to_a_long_unix_path_fits_too) {
  const UniqueFd listening = listen_on(unused_abstract_name());
  const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress own(Address::unix_abstract(std::string(Address::kUnixPathMax, 'c')));
  ASSERT_EQ(::bind(client.get(), own.data(), own.size()), 0);
  const SocketAddress where(address_of(listening));
  ASSERT_EQ(::connect(client.get(), where.data(), where.size()), 0);
  PeerAddress peer;
  socklen_t size = PeerAddress::capacity();
  const UniqueFd accepted(::accept(listening.get(), peer.data(), &size));
  EXPECT_EQ(peer.to_string(), "unix:");
}

}  // namespace
}  // namespace sluice
