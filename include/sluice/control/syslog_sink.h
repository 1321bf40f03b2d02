// Sends the lines of a log to a syslog daemon, each in a datagram. While a daemon on a unix socket
// is away or does not read, whoever writes waits and the log's queue fills, so a restart of it
// loses nothing; over UDP nobody waits for anybody.
//
// Not by syslog(3): that one waits inside sendto() for a daemon that hangs, and loses lines without
// a word.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sluice/base/log_sink.h"
#include "sluice/base/result.h"
#include "sluice/base/syslog_options.h"
#include "sluice/base/unique_fd.h"

namespace sluice {

class SyslogSink : public LogSink {
 public:
  // An error when nobody listens on that unix socket now.
  static Result<std::unique_ptr<SyslogSink>> open(SyslogOptions options);

  void write(std::string_view text, LogLevel level) override;
  void replace(UniqueFd /*fd*/) override {}  // a daemon rotates its files itself

 private:
  explicit SyslogSink(SyslogOptions options);
  // These three return an errno, 0 when it went well.
  int connect();
  int send(std::string_view datagram);
  int deliver(std::string_view datagram);
  void wait(int error) const;

  const SyslogOptions options_;
  const std::string host_;
  UniqueFd fd_;  // the writing thread's; none while nobody listens
};

}  // namespace sluice
