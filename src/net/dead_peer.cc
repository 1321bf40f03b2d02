#include "sluice/net/dead_peer.h"

#include <linux/tcp.h>  // newer than <netinet/tcp.h>, which cannot be included beside it
#include <netinet/in.h>
#include <sys/socket.h>

namespace sluice {

DeadPeerWatch::Verdict DeadPeerWatch::look(int fd, TimePoint now, Duration timeout) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return Verdict::settled;

  const bool is_unanswered = info.tcpi_unacked > 0 || info.tcpi_probes > 0;
  if (!is_unanswered) {
    outstanding_since_ = TimePoint{};
    return info.tcpi_notsent_bytes == 0 ? Verdict::settled : Verdict::outstanding;
  }
  const TimePoint last_heard = now - std::chrono::milliseconds(info.tcpi_last_ack_recv);
  if (outstanding_since_ == TimePoint{} || last_heard > outstanding_since_)
    outstanding_since_ = now;
  // One unanswered probe of a closed window proves nothing: the peer's kernel answers at most one
  // in 500 ms (tcp_invalid_ratelimit), and after one lost the next may be two minutes away.
  const bool is_proof = info.tcpi_unacked > 0 || info.tcpi_probes > 1;
  const bool is_dead = is_proof && now - outstanding_since_ >= timeout;
  return is_dead ? Verdict::dead : Verdict::outstanding;
}

}  // namespace sluice
