#include "sluice/control/process_log.h"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace sluice {
namespace {

// Lines a minute. A backend that flaps is to be seen flapping, but not to fill the log.
constexpr uint32_t kTransitionLinesMax = 10;
constexpr uint32_t kSameWordsMax = 10;
constexpr uint32_t kConditionLinesMax = 1;

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

ProcessLog::ProcessLog(Log& log, Clock clock) : log_(log), clock_(std::move(clock)) {}

ProcessLog::Clock ProcessLog::machine_clock() {
  return [] { return TimePoint(std::chrono::steady_clock::now().time_since_epoch()); };
}

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

void ProcessLog::transition(const Transition& transition) {
  const LogLevel level =
      transition.to == "open" || transition.to == "unhealthy" || transition.to == "panic"
          ? LogLevel::warning
          : LogLevel::info;
  say(level, name(transition.kind), fmt::format("{} {}", transition.cluster, transition.backend),
      kTransitionLinesMax, [&] {
        const TimePoint now = clock_();
        LogLine line{.level = level,
                     .event = name(transition.kind),
                     .message = transition.kind == Transition::Kind::panic
                                    ? panic_text(transition)
                                    : change_text(transition, now),
                     .fields = {{"cluster", transition.cluster},
                                {"backend", transition.backend},
                                {"from", std::string(transition.from)},
                                {"to", std::string(transition.to)},
                                {"why", transition.why}}};
        if (transition.retry_at) {
          line.fields.push_back({"retry_in_ms", to_ms(*transition.retry_at - now)});
        }
        return line;
      });
}

void ProcessLog::refused_ejections(Cluster& cluster) {
  for (const Detector detector : kCappedDetectors) {
    const uint64_t refusals = cluster.ejections().refusals(detector);
    if (refusals == 0) continue;
    uint64_t& told = refusals_told_[{cluster.name(), detector}];
    if (refusals == told) continue;
    const auto refusal = cluster.take_refused_ejection(detector);
    if (!refusal) continue;  // somebody is deciding just now: a second later
    const uint64_t times = refusal->times - std::exchange(told, refusal->times);
    const auto make_line = [&] {
      return LogLine{.level = LogLevel::warning,
                     .event = "ejection_refused",
                     .message = fmt::format(
                         "{}: {} would eject {} ({}), which stays in: {}{}", cluster.name(),
                         name(detector), refusal->backend, refusal->proposal, refusal->obstacle,
                         times == 1 ? "" : fmt::format("; the first of {} refusals", times)),
                     .fields = {{"cluster", cluster.name()},
                                {"backend", refusal->backend},
                                {"detector", std::string(name(detector))},
                                {"proposal", refusal->proposal},
                                {"why", refusal->obstacle},
                                {"times", static_cast<int64_t>(times)}}};
    };
    say(LogLevel::warning, "ejection_refused", fmt::format("{} {}", cluster.name(), name(detector)),
        kConditionLinesMax, make_line, times);
  }
}

void ProcessLog::notice(const WorkerNotice& notice) {
  const bool is_pause = notice.kind == WorkerNotice::Kind::accept_paused;
  const std::string_view event = is_pause ? "accept_paused" : "local_error";
  const auto make_line = [&] {
    return LogLine{
        .level = LogLevel::warning,
        .event = event,
        .message =
            is_pause ? fmt::format(
                           "listener {} pauses accepting, clients wait in the kernel's queue: {}",
                           notice.listener, notice.why)
                     : fmt::format("this process is short of something, no backend is to blame: {}",
                                   notice.why),
        .fields = {{"listener", notice.listener},
                   {"why", notice.why},
                   {"times", static_cast<int64_t>(notice.times)}}};
  };
  say(LogLevel::warning, event, fmt::format("{} {}", notice.listener, notice.why),
      kConditionLinesMax, make_line, notice.times);
}

void ProcessLog::condition(LogLevel level, std::string_view event, const std::string& subject,
                           const std::string& message) {
  say(level, event, subject, kConditionLinesMax,
      [&] { return LogLine{.level = level, .event = event, .message = message}; });
}

void ProcessLog::warning(std::string_view event, const std::string& message) {
  say_words(LogLevel::warning, event, message);
}

void ProcessLog::error(std::string_view event, const std::string& message) {
  say_words(LogLevel::error, event, message);
}

void ProcessLog::info(std::string_view event, const std::string& message) {
  say_words(LogLevel::info, event, message);
}

void ProcessLog::say_words(LogLevel level, std::string_view event, const std::string& message) {
  say(level, event, message, kSameWordsMax,
      [&] { return LogLine{.level = level, .event = event, .message = message}; });
}

void ProcessLog::say(LogLevel level, std::string_view event, const std::string& subject,
                     uint32_t lines_max, FunctionRef<LogLine()> make_line, uint64_t times) {
  if (!log_.wants(level)) return;
  const TimePoint now = clock_();
  if (limiter_.admit(event, subject, lines_max, now)) {
    log_.write(make_line());
  } else {
    limiter_.hold(event, subject, now, make_line, times);
  }
}

void ProcessLog::write(LogLimiter::Due due) {
  const TimePoint now = clock_();
  for (LogLimiter::HeldLine& held : due.lines) {
    const Duration age = now - held.at;
    held.line.message += fmt::format(
        " ({} ago{})", seconds_text(age),
        held.before == 0 ? "" : fmt::format("; {} more before that were held back", held.before));
    held.line.fields.push_back({"held_back", static_cast<int64_t>(held.before)});
    held.line.fields.push_back({"ago_ms", to_ms(age)});
    log_.write(held.line);
  }
  for (const LogLimiter::HeldKind& held : due.kinds) {
    log_.warning("held_back",
                 fmt::format("{} more lines of the kind {} were held back, there were too many",
                             held.lines, held.kind),
                 {{"of", std::string(held.kind)}, {"lines", static_cast<int64_t>(held.lines)}});
  }
}

}  // namespace sluice
