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

// What it means for clients, because panic looks like the opposite of what probes are for.
std::string panic_text(const Transition& transition) {
  const bool is_panic = transition.to == "panic";
  return fmt::format("{} is {} panic at {}: {}: {}", transition.cluster,
                     is_panic ? "in" : "no longer in", transition.backend, transition.why,
                     is_panic ? "fewer than panic_threshold asks for, so probes are ignored there "
                                "and clients go to unhealthy backends too"
                              : "enough, so unhealthy backends get no clients again");
}

std::string change_text(const Transition& transition, TimePoint now) {
  return fmt::format(
      "{} {} of {} turned from {} to {}: {}{}", transition.cluster, name(transition.kind),
      transition.backend, transition.from, transition.to, transition.why,
      transition.retry_at
          ? fmt::format("; next trial in {}", seconds_text(*transition.retry_at - now))
          : "");
}

}  // namespace

void ProcessLog::listening(const std::string& listener, const std::string& address) {
  log_.info("listening", fmt::format("listener {} listens on {}", listener, address),
            {{"listener", listener}, {"address", address}});
}

void ProcessLog::admin_listening(const std::string& address) {
  log_.info("admin_listening", fmt::format("the admin API listens on {}", address),
            {{"address", address}});
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
  const std::string message = transition.kind == Transition::Kind::panic
                                  ? panic_text(transition)
                                  : change_text(transition, now);
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

void ProcessLog::refused_ejections(Cluster& cluster, TimePoint now) {
  for (const Detector detector : kCappedDetectors) {
    const uint64_t refusals = cluster.ejections().refusals(detector);
    if (refusals == 0) continue;
    Refusals& known = refusals_[{cluster.name(), detector}];
    const bool is_soon = known.told > 0 && now - known.said_at < kRepeatInterval;
    if (refusals == known.told || is_soon) continue;
    const auto refusal = cluster.take_refused_ejection(detector);
    if (!refusal) continue;  // somebody is deciding just now: a second later
    const uint64_t times = refusal->times - known.told;
    known = {.told = refusal->times, .said_at = now};
    log_.warning("ejection_refused",
                 fmt::format("{}: {} would eject {} ({}), which stays in: {}{}", cluster.name(),
                             name(detector), refusal->backend, refusal->proposal, refusal->obstacle,
                             times == 1 ? "" : fmt::format("; the first of {} refusals", times)),
                 {{"cluster", cluster.name()},
                  {"backend", refusal->backend},
                  {"detector", std::string(name(detector))},
                  {"proposal", refusal->proposal},
                  {"why", refusal->obstacle},
                  {"times", static_cast<int64_t>(times)}});
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
