#include "sluice/control/syslog_sink.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "sluice/net/socket_address.h"
#include "syslog_frame.h"

namespace sluice {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  const bool is_known = ::gethostname(name.data(), name.size() - 1) == 0;
  std::string host = is_known ? name.data() : "";
  // RFC 5424, 6: printable ASCII without blanks.
  const bool is_plain =
      std::all_of(host.begin(), host.end(), [](char c) { return c > ' ' && c < '\x7F'; });
  return is_plain ? host : "";
}

bool is_shortage(int error) { return error == EAGAIN || error == ENOBUFS || error == ENOMEM; }

}  // namespace

Result<std::unique_ptr<SyslogSink>> SyslogSink::open(SyslogOptions options) {
  std::unique_ptr<SyslogSink> sink(new SyslogSink(std::move(options)));
  const int error = sink->connect();
  if (error == 0) return sink;
  return failure(fmt::format("cannot reach a syslog daemon at {}: {}; start it first, or say where "
                             "it listens in syslog.address",
                             sink->options_.address.to_string(), std::strerror(error)),
                 error);
}

SyslogSink::SyslogSink(SyslogOptions options) : options_(std::move(options)), host_(host_name()) {}

int SyslogSink::connect() {
  const SocketAddress address(options_.address);
  UniqueFd fd(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno;
  if (::connect(fd.get(), address.data(), address.size()) != 0) return errno;
  fd_ = std::move(fd);
  return 0;
}

// A daemon that was restarted has a new socket: the old connection is of no use any more.
int SyslogSink::send(std::string_view datagram) {
  if (!fd_) {
    if (const int error = connect(); error != 0) return error;
  }
  const ssize_t sent = ::send(fd_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL);
  if (sent >= 0) return 0;
  const int error = errno;
  if (!is_shortage(error) && error != EMSGSIZE) fd_.reset();
  return error;
}

int SyslogSink::deliver(std::string_view datagram) {
  const bool is_unix = options_.address.is_unix();
  while (true) {
    const bool was_connected = static_cast<bool>(fd_);
    const int error = send(datagram);
    if (error == 0 || error == EMSGSIZE) return error;
    if (!is_unix && was_connected && error == ECONNREFUSED) {
      lose(1, error);  // an answer to the datagram before this one, which has not been sent yet
      continue;
    }
    if (!is_unix && !is_shortage(error)) return error;
    if (is_overdue()) return error;
    if (was_connected && !fd_) continue;
    if (!is_shortage(error)) note_trouble(error);
    wait(error);
  }
}

void SyslogSink::wait(int error) const {
  pollfd writable{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
  ::poll(&writable, error == EAGAIN ? 1 : 0, kLookIntervalMs);
}

void SyslogSink::write(std::string_view text, LogLevel level) {
  const SyslogOrigin origin{.host = host_, .process = ::getpid()};
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string frame =
        frame_syslog(options_, origin, level, WallTime::clock::now(), text.substr(0, end));
    if (const int error = deliver(frame); error != 0)
      lose(1, is_shortage(error) ? ETIMEDOUT : error);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace sluice
