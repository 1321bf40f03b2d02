#include "sluice/control/server_logs.h"

#include <fmt/format.h>

#include <utility>

#include "sluice/base/file_sink.h"
#include "sluice/config/log_target.h"
#include "sluice/control/syslog_sink.h"

namespace sluice {

Result<std::unique_ptr<LogSink>> open_log_sink(Descriptors& descriptors, const std::string& file,
                                               const SyslogOptions& syslog) {
  if (log_target(file) == LogTarget::syslog) {
    auto sink = SyslogSink::open(syslog);
    if (!sink) return tl::unexpected(sink.error());
    return std::unique_ptr<LogSink>(std::move(*sink));
  }
  auto fd = descriptors.open_log(file.empty() ? "stderr" : file);
  if (!fd) return tl::unexpected(fd.error());
  return std::unique_ptr<LogSink>(std::make_unique<FileSink>(std::move(*fd)));
}

ServerLogs::ServerLogs(const Config& config, Log& log, ProcessLog& process_log,
                       Descriptors& descriptors)
    : config_(config), log_(log), process_log_(process_log), descriptors_(descriptors) {}

Result<void> ServerLogs::open() {
  const AccessLogConfig& config = config_.access_log;
  if (config.file.empty()) return {};
  auto sink = open_log_sink(descriptors_, config.file, config.syslog);
  if (!sink) return failure("access_log: " + sink.error().message, sink.error().system_error);
  access_log_ = std::make_unique<AccessLog>(
      std::move(*sink),
      AccessLog::Options{.format = config.format, .severity = config.syslog_severity});
  return {};
}

void ServerLogs::reopen() {
  reopen("process", config_.log.file, log_.writer());
  if (access_log_) reopen("access", config_.access_log.file, *access_log_);
}

// A standard stream has no name to be opened by, and a syslog daemon rotates its files itself.
template <typename Reopened>
void ServerLogs::reopen(std::string_view which, const std::string& file, Reopened& log) {
  if (log_target(file) != LogTarget::file || leads_to_standard_stream(file)) return;
  auto fd = descriptors_.open_log(file);
  if (fd) {
    log.reopen(std::move(*fd));
    process_log_.info("reopen", fmt::format("the {} log was opened anew: {}", which, file));
  } else {
    process_log_.error("reopen", fmt::format("the {} log still goes to the old file: {}", which,
                                             fd.error().message));
  }
}

std::vector<NamedLoss> ServerLogs::losses() const {
  std::vector<NamedLoss> losses = {{"process", log_.writer().loss()}};
  if (access_log_) losses.push_back({"access", access_log_->loss()});
  return losses;
}

void ServerLogs::tell_losses() {
  for (const NamedLoss& lost : losses()) process_log_.lost(lost.log, lost.loss);
}

void ServerLogs::tell() {
  tell_losses();
  process_log_.tell_held_back();
}

void ServerLogs::end() {
  if (access_log_) access_log_->end();
  tell_losses();
  process_log_.tell_all_held_back();
}

}  // namespace sluice
