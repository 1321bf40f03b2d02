#include "sluice/control/process_log.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace sluice {
namespace {

constexpr Duration kRepeatInterval = std::chrono::minutes(1);

std::string seconds_text(Duration span) {
  return fmt::format("{:.1f}s", std::chrono::duration<double>(span).count());
}

}  // namespace

void ProcessLog::listening(const std::string& listener, const std::string& address) {
  log_.info("listening", fmt::format("listener {} listens on {}", listener, address),
            {{"listener", listener}, {"address", address}});
}

void ProcessLog::ready(uint32_t workers, uint32_t connections_max) {
  log_.info("ready", "accepting clients",
            {{"workers", int64_t{workers}}, {"max_connections", int64_t{connections_max}}});
}

void ProcessLog::draining(uint32_t sessions, const Timeout& limit) {
  log_.info("draining",
            limit
                ? fmt::format("no longer accepting; sessions have {} to end", seconds_text(*limit))
                : std::string("no longer accepting; waiting for sessions to end"),
            {{"sessions", int64_t{sessions}}});
}

void ProcessLog::lost(std::string_view which, const LogLoss& loss) {
  uint64_t& told = lost_[std::string(which)];
  if (loss.lines == told) return;
  const uint64_t lines = loss.lines - told;
  told = loss.lines;
  // A reader that hangs is found out by its full queue, or by the end of the process.
  const bool is_slow = loss.error == 0 || loss.error == ETIMEDOUT;
  const std::string why = is_slow ? "it could not keep up" : std::strerror(loss.error);
  log_.warning(
      "log_dropped",
      fmt::format("the {} log lost {} {}: {}{}", which, lines, lines == 1 ? "line" : "lines", why,
                  is_slow ? "; give it a faster disk, or a reader that reads" : ""),
      {{"log", std::string(which)}, {"lines", static_cast<int64_t>(lines)}, {"why", why}});
}

void ProcessLog::cutting(uint32_t sessions, std::string_view why) {
  if (sessions == 0) return;
  log_.warning("cutting",
               fmt::format("{}: resetting the {} {} left", why, sessions,
                           sessions == 1 ? "session that is" : "sessions that are"),
               {{"sessions", int64_t{sessions}}, {"why", std::string(why)}});
}

void ProcessLog::stopped() { log_.info("stopped", "all sessions have ended"); }

void ProcessLog::transition(const Transition& transition, TimePoint now) {
  const std::string message = fmt::format(
      "{} {} of {} turned from {} to {}: {}{}", transition.cluster, name(transition.kind),
      transition.backend, transition.from, transition.to, transition.why,
      transition.retry_at
          ? fmt::format("; next trial in {}", seconds_text(*transition.retry_at - now))
          : "");
  const LogLevel level =
      transition.to == "open" || transition.to == "unhealthy" || transition.to == "panic"
          ? LogLevel::warning
          : LogLevel::info;
  const LogField cluster{"cluster", transition.cluster};
  const LogField backend{"backend", transition.backend};
  const LogField from{"from", std::string(transition.from)};
  const LogField to{"to", std::string(transition.to)};
  const LogField why{"why", transition.why};
  if (transition.retry_at) {
    log_.write(
        level, name(transition.kind), message,
        {cluster, backend, from, to, why, {"retry_in_ms", to_ms(*transition.retry_at - now)}});
  } else {
    log_.write(level, name(transition.kind), message, {cluster, backend, from, to, why});
  }
}

void ProcessLog::notice(const WorkerNotice& notice, TimePoint now) {
  const bool is_pause = notice.kind == WorkerNotice::Kind::accept_paused;
  const std::string_view event = is_pause ? "accept_paused" : "local_error";
  const auto [entry, is_first] =
      repetitions_.try_emplace(fmt::format("{} {} {}", event, notice.listener, notice.why));
  Repetition& repetition = entry->second;
  if (!is_first && now - repetition.said_at < kRepeatInterval) {
    ++repetition.unsaid;
    return;
  }
  const std::string message =
      is_pause ? fmt::format("listener {} pauses accepting, clients wait in the kernel's queue: {}",
                             notice.listener, notice.why)
               : fmt::format("this process is short of something, no backend is to blame: {}",
                             notice.why);
  log_.write(
      LogLevel::warning, event, message,
      {{"listener", notice.listener}, {"why", notice.why}, {"times_before", repetition.unsaid}});
  repetition = {.said_at = now, .unsaid = 0};
}

}  // namespace sluice
