// The logs of a running server: where they go, opening them anew, what each of them has lost.
// Control loop only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/log.h"
#include "sluice/base/result.h"
#include "sluice/config/config.h"
#include "sluice/control/access_log.h"
#include "sluice/control/descriptors.h"
#include "sluice/control/process_log.h"

namespace sluice {

// Opens what `log.file` or `access_log.file` names; stderr when it names nothing.
Result<std::unique_ptr<LogSink>> open_log_sink(Descriptors& descriptors, const std::string& file,
                                               const SyslogOptions& syslog);

struct NamedLoss {
  std::string_view log;  // process, access
  LogLoss loss;
};

class ServerLogs {
 public:
  // All of them outlive this object.
  ServerLogs(const Config& config, Log& log, ProcessLog& process_log, Descriptors& descriptors);

  // Opens the access log, if there is to be one.
  Result<void> open();
  AccessLog* access() { return access_log_.get(); }

  // Opens the files anew (SIGUSR1). One that cannot be opened is kept, and that is told.
  void reopen();

  // What each log has lost so far.
  std::vector<NamedLoss> losses() const;

  // Tells of lines that were lost or held back. To be called every ten seconds or so.
  void tell();

  // Writes what is queued of the access log, and tells all that has not been told.
  void end();

 private:
  template <typename Reopened>
  void reopen(std::string_view which, const std::string& file, Reopened& log);
  void tell_losses();

  const Config& config_;
  Log& log_;
  ProcessLog& process_log_;
  Descriptors& descriptors_;
  std::unique_ptr<AccessLog> access_log_;  // only with an access_log.file
};

}  // namespace sluice
