// Real sockets for tests: loopback TCP and unix, connected pairs, plain reads and writes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sluice/base/address.h"
#include "sluice/base/unique_fd.h"

namespace sluice {

enum class Transport : uint8_t { tcp, unix_domain };

// 0: as the kernel likes.
struct BufferSizes {
  int send = 0;
  int receive = 0;
};

struct SocketPair {
  UniqueFd near;
  UniqueFd far;
};

// Both ends connected and non-blocking, urgent data in line as the data path has it.
SocketPair connected_pair(Transport transport, BufferSizes near = {}, BufferSizes far = {});

Address loopback(uint16_t port = 0);
Address ipv6_loopback(uint16_t port = 0);
// An abstract name nobody else has.
Address unused_abstract_name();

// Listening and blocking, with a time limit on accept().
UniqueFd listen_on(const Address& address, int backlog = 128);
Address address_of(const UniqueFd& socket);
// A loopback port on which nobody listens, held by the descriptor: connecting to it is refused.
struct RefusingPort {
  UniqueFd holder;
  Address address;
};
RefusingPort refusing_port();

// Blocking, with a time limit on every call; an empty descriptor when it was refused.
UniqueFd connect_to(const Address& address);
UniqueFd accept_from(const UniqueFd& listening);
// Whether somebody waits to be accepted, within the time.
bool has_pending_client(const UniqueFd& listening, int timeout_ms = 0);

// An int-valued one (getsockopt).
int option_of(const UniqueFd& socket, int level, int option);
void set_nonblocking(int fd);
void set_time_limit(int fd, int seconds);

// Ends the connection with a reset.
void reset_connection(UniqueFd socket);
void end_stream(const UniqueFd& socket);
// From here on the socket's kernel drops every packet that comes: the peer is gone without a word.
void play_dead(const UniqueFd& socket);

// What `socket` takes without blocking.
size_t send_some(const UniqueFd& socket, std::string_view bytes);
// All of it, or a test failure.
void send_all(const UniqueFd& socket, std::string_view bytes);

// How a read ended.
enum class ReadEnd : uint8_t { nothing_yet, end_of_stream, reset, enough };
// Appends what is there, without blocking.
ReadEnd receive_some(const UniqueFd& socket, std::string& bytes);
// Blocks until `size` bytes, the end of the stream or a reset have come; fails at the time limit.
ReadEnd receive(const UniqueFd& socket, size_t size, std::string& bytes);
// Blocks until the stream has ended, and says how.
ReadEnd receive_to_end(const UniqueFd& socket, std::string& bytes);

// Bytes that differ from place to place.
std::string pattern(size_t size, uint64_t seed = 1);

}  // namespace sluice
