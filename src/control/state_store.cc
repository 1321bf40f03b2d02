#include "sluice/control/state_store.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "sluice/control/atomic_file.h"
#include "sluice/control/descriptors.h"

namespace sluice {
namespace {

using std::chrono::seconds;

constexpr Duration kWriteInterval = seconds(1);  // at most that often
constexpr Duration kRetryInterval = seconds(5);
// Written again without a change, so that the file is young when the process is killed.
constexpr int kRefreshesInMaxAge = 4;
constexpr Duration kRefreshIntervalMax = std::chrono::minutes(1);

std::string_view plural(size_t count) { return count == 1 ? "" : "s"; }

std::string age_text(WallTime written_at, WallTime now) {
  return fmt::format("{:.1f}s", std::chrono::duration<double>(now - written_at).count());
}

}  // namespace

StateStore::StateStore(Loop& loop, Mailbox& mailbox, ProcessLog& log, Options options)
    : loop_(loop),
      mailbox_(mailbox),
      log_(log),
      options_(std::move(options)),
      write_due_(loop, [this] { write(); }) {}

Result<void> StateStore::open() {
  if (auto read_it = read(); !read_it) return read_it;
  if (const auto replaceable = check_replaceable(options_.path); !replaceable) {
    return failure(
        fmt::format("state_file: {}; let this user write in that directory, or name another file",
                    replaceable.error().message),
        replaceable.error().system_error);
  }
  writer_ = std::make_unique<StateWriter>(options_.path, [this](const Result<void>& result) {
    // The word may be on its way when the store goes.
    mailbox_.post([presence = std::weak_ptr(presence_), result] {
      if (const auto store = presence.lock()) (*store)->on_written(result);
    });
  });
  schedule(kWriteInterval);
  return {};
}

Result<void> StateStore::read() {
  struct stat status {};
  if (::stat(options_.path.c_str(), &status) != 0 && errno == ENOENT) return {};
  if (status.st_mode != 0 && !S_ISREG(status.st_mode)) {
    return failure(fmt::format("state_file: {} is not a file; name another one", options_.path));
  }
  const auto text = read_file(options_.path, kStateBytesMax);
  if (!text && text.error().system_error != 0) {
    return failure(fmt::format("state_file: {}; let this user read and write it, or remove it",
                               text.error().message),
                   text.error().system_error);
  }
  if (!text) {
    set_aside(fmt::format("it is larger than {} bytes", kStateBytesMax));
    return {};
  }
  auto state = parse_state(*text, moment());
  if (state) {
    take(std::move(*state));
  } else {
    set_aside(state.error().message);
  }
  return {};
}

void StateStore::take(SavedState state) {
  const WallTime now = options_.wall_clock();
  const Duration age = now - state.written_at;
  if (age > options_.max_age || age < -options_.max_age) {
    log_.warning(
        "state",
        fmt::format("the state in {} is ignored: it was written {} {}, state_max_age is "
                    "{:.0f}s",
                    options_.path,
                    age_text(std::min(now, state.written_at), std::max(now, state.written_at)),
                    age < Duration::zero() ? "from now" : "ago",
                    std::chrono::duration<double>(options_.max_age).count()));
    return;
  }
  size_t count = 0;
  for (SavedCluster& cluster : state.clusters) {
    auto& backends = unclaimed_[cluster.name];
    for (SavedBackend& backend : cluster.backends) {
      backends.insert_or_assign(backend.name, std::move(backend));
      ++count;
    }
  }
  unclaimed_until_ = loop_.now() + options_.max_age;
  log_.info("state",
            fmt::format("read {}, written {} ago: the state of {} backend{}", options_.path,
                        age_text(state.written_at, now), count, plural(count)));
}

void StateStore::set_aside(const std::string& why) {
  const std::string aside = options_.path + ".damaged";
  const bool is_renamed = std::rename(options_.path.c_str(), aside.c_str()) == 0;
  const int error = errno;
  log_.warning(
      "state",
      fmt::format("the state in {} is ignored, the file is damaged: {}; {}", options_.path, why,
                  is_renamed ? "set aside as " + aside
                             : fmt::format("cannot set it aside: {}", std::strerror(error))));
}

void StateStore::add(std::shared_ptr<Cluster> cluster) {
  restore(*cluster);
  clusters_.push_back(std::move(cluster));
}

void StateStore::restore(Cluster& cluster) {
  if (loop_.now() > unclaimed_until_) unclaimed_.clear();
  const auto found = unclaimed_.find(cluster.name());
  if (found == unclaimed_.end()) return;
  std::erase_if(found->second,
                [&](const auto& entry) { return cluster.restore(entry.second, loop_.now()); });
}

void StateStore::touch() {
  const TimePoint now = loop_.now();
  const TimePoint earliest = written_at_ ? *written_at_ + kWriteInterval : now;
  schedule(std::max(earliest - now, Duration::zero()));
}

// Never later than it is due already.
void StateStore::schedule(Duration delay) {
  const TimePoint at = loop_.now() + delay;
  if (due_at_ && *due_at_ <= at) return;
  due_at_ = at;
  write_due_.start(delay);
}

void StateStore::write() {
  due_at_.reset();
  if (!writer_) return;
  written_at_ = loop_.now();
  writer_->submit([saved = collect(), now = moment()] { return render_state(saved, now); });
  schedule(std::clamp<Duration>(options_.max_age / kRefreshesInMaxAge, kWriteInterval,
                                kRefreshIntervalMax));
}

void StateStore::on_written(const Result<void>& result) {
  if (result) {
    if (!std::exchange(told_errors_, {}).empty()) {
      log_.info("state", fmt::format("{} can be written again", options_.path));
    }
    return;
  }
  schedule(kRetryInterval);
  if (!told_errors_.insert(result.error().system_error).second) return;
  log_.error("state", fmt::format("{}; a restart would find old state or none; trying again",
                                  result.error().message));
}

void StateStore::close() {
  if (!writer_) return;
  writer_.reset();
  write_due_.stop();
  const auto written = replace_file(options_.path, render_state(collect(), moment()));
  if (!written)
    log_.error("state", written.error().message + "; nothing is kept of this run's end");
}

std::vector<SavedCluster> StateStore::collect() const {
  std::vector<SavedCluster> saved;
  for (const auto& cluster : clusters_) {
    SavedCluster its{.name = cluster->name(), .backends = {}};
    const auto snapshot = cluster->snapshot();
    for (const PriorityLevel& level : snapshot->levels) {
      for (const auto& backend : level.backends) {
        if (auto state = save(*backend)) its.backends.push_back(std::move(*state));
      }
    }
    // Of host names that still wait for an answer: a restart meanwhile must not forget them.
    const auto unclaimed = unclaimed_.find(cluster->name());
    if (unclaimed != unclaimed_.end() && loop_.now() <= unclaimed_until_) {
      for (const auto& [name, backend] : unclaimed->second) {
        if (!cluster->find(name)) its.backends.push_back(backend);
      }
    }
    if (!its.backends.empty()) saved.push_back(std::move(its));
  }
  return saved;
}

}  // namespace sluice
