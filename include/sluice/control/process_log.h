// What the server says in its log, in one place: each kind of line, its event word and its fields.
// What may repeat goes through a limiter: of a backend's transitions ten a minute are written, of a
// condition that lasts one a minute, and what was held back is told afterwards.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "sluice/base/function_ref.h"
#include "sluice/base/log.h"
#include "sluice/base/time.h"
#include "sluice/control/log_limiter.h"
#include "sluice/core/cluster.h"
#include "sluice/core/transition.h"
#include "sluice/proxy/worker.h"

namespace sluice {

// Control loop only.
class ProcessLog {
 public:
  using Clock = std::function<TimePoint()>;

  explicit ProcessLog(Log& log, Clock clock = machine_clock());

  void listening(const std::string& listener, const std::string& address);
  void admin_listening(const std::string& address);
  void ready(uint32_t workers, uint32_t connections_max);
  void draining(uint32_t sessions, const Timeout& limit);
  // Sessions are about to be ended by us; says nothing when there are none.
  void cutting(uint32_t sessions, std::string_view why);
  void stopped();
  // What a log has lost so far; told when it has grown. To be called every ten seconds or so.
  void lost(std::string_view which, const LogLoss& loss);
  void transition(const Transition& transition);
  // What outlier detection proposed and the cluster refused. To be called every second or so.
  void refused_ejections(Cluster& cluster);
  void notice(const WorkerNotice& notice);
  // A condition that lasts and would be told again and again: each `subject` once a minute.
  void condition(LogLevel level, std::string_view event, const std::string& subject,
                 const std::string& message);
  // Whatever else happens. The same words come ten times a minute at most. `event` has static
  // storage.
  void warning(std::string_view event, const std::string& message);
  void error(std::string_view event, const std::string& message);
  void info(std::string_view event, const std::string& message);

  // Writes what is due of what was held back. To be called every ten seconds or so.
  void tell_held_back() { write(limiter_.take_due(clock_())); }
  void tell_all_held_back() { write(limiter_.take_all()); }

 private:
  static Clock machine_clock();
  void say(LogLevel level, std::string_view event, const std::string& subject, uint32_t lines_max,
           FunctionRef<LogLine()> make_line, uint64_t times = 1);
  void say_words(LogLevel level, std::string_view event, const std::string& message);
  void write(LogLimiter::Due due);

  Log& log_;
  const Clock clock_;
  LogLimiter limiter_;
  std::map<std::pair<std::string, Detector>, uint64_t> refusals_told_;  // by cluster
  std::map<std::string, uint64_t> lost_;                                // lines told of
};

}  // namespace sluice
