// What the server says in its log, in one place: each kind of line, its event word and its fields.
// Conditions that would repeat once per connection or per second are said once a minute, with how
// often they came.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "sluice/base/log.h"
#include "sluice/base/time.h"
#include "sluice/core/cluster.h"
#include "sluice/core/transition.h"
#include "sluice/proxy/worker.h"

namespace sluice {

// Control loop only.
class ProcessLog {
 public:
  explicit ProcessLog(Log& log) : log_(log) {}

  void listening(const std::string& listener, const std::string& address);
  void admin_listening(const std::string& address);
  void ready(uint32_t workers, uint32_t connections_max);
  void draining(uint32_t sessions, const Timeout& limit);
  // Sessions are about to be ended by us; says nothing when there are none.
  void cutting(uint32_t sessions, std::string_view why);
  void stopped();
  // What a log has lost so far; told when it has grown.
  void lost(std::string_view which, const LogLoss& loss);
  void transition(const Transition& transition, TimePoint now);
  // What outlier detection proposed and the cluster refused: for each detector the first at once,
  // then at most once a minute, with how many came. To be called every second or so.
  void refused_ejections(Cluster& cluster, TimePoint now);
  void notice(const WorkerNotice& notice, TimePoint now);
  void warning(std::string_view event, const std::string& message) { log_.warning(event, message); }
  void error(std::string_view event, const std::string& message) { log_.error(event, message); }
  void info(std::string_view event, const std::string& message) { log_.info(event, message); }

 private:
  struct Repetition {
    TimePoint said_at{};
    int64_t unsaid = 0;
  };
  struct Refusals {
    uint64_t told = 0;
    TimePoint said_at{};
  };
  Log& log_;
  std::map<std::pair<std::string, Detector>, Refusals> refusals_;  // by cluster
  std::map<std::string, Repetition> repetitions_;
  std::map<std::string, uint64_t> lost_;  // lines told of
};

}  // namespace sluice
