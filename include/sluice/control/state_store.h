// Keeps what is known of the backends over a restart: reads the state file at the start, gives each
// cluster its part, and writes the file again when something changed, at most once a second, now
// and then to keep it young, and at the end. Lives on the control loop; the disk is the business of
// a thread of its own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/config/config.h"
#include "sluice/control/process_log.h"
#include "sluice/control/state_file.h"
#include "sluice/control/state_writer.h"
#include "sluice/core/cluster.h"
#include "sluice/net/loop.h"
#include "sluice/net/mailbox.h"

namespace sluice {

class StateStore {
 public:
  struct Options {
    std::string path;
    Duration max_age;
    std::function<WallTime()> wall_clock = [] { return std::chrono::system_clock::now(); };
  };

  // The mailbox outlives the store, and no task of it runs after the store is gone.
  StateStore(Loop& loop, Mailbox& mailbox, ProcessLog& log, Options options);

  // Reads the file. One that is not there, too old or damaged is no error; a damaged one is set
  // aside as `PATH.damaged`. An error is a file or a directory that this user cannot use.
  Result<void> open();

  // The cluster's state is kept from now on. Restores what was read of it.
  void add(std::shared_ptr<Cluster> cluster);

  // Once more, for backends that came with a host name's answer.
  void restore(Cluster& cluster);

  // Something changed that is to be kept.
  void touch();

  // Writes for the last time. Blocks for as long as the disk takes.
  void close();

 private:
  Result<void> read();
  void take(SavedState state);
  void set_aside(const std::string& why);
  void schedule(Duration delay);
  void write();
  void on_written(const Result<void>& result);
  std::vector<SavedCluster> collect() const;
  Moment moment() const { return {loop_.now(), options_.wall_clock()}; }

  Loop& loop_;
  Mailbox& mailbox_;
  ProcessLog& log_;
  const Options options_;
  std::vector<std::shared_ptr<Cluster>> clusters_;
  // What was read and nobody has taken, by cluster and backend, and until when it counts.
  std::map<std::string, std::map<std::string, SavedBackend>> unclaimed_;
  TimePoint unclaimed_until_;

  Timer write_due_;
  std::optional<TimePoint> due_at_;
  std::optional<TimePoint> written_at_;
  std::set<int> told_errors_;  // errno, since it could be written last
  const std::shared_ptr<StateStore*> presence_ = std::make_shared<StateStore*>(this);
  std::unique_ptr<StateWriter> writer_;
};

}  // namespace sluice
