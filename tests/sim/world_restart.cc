// The world's part on restarts: what the process keeps of its cluster, its end, and a new process
// with the same configuration or another one.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "world.h"

namespace sluice::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kStateMaxAge = minutes(5);
constexpr Duration kDownTime = seconds(2);
constexpr double kCleanExitPercent = 60;
constexpr double kLongDownPercent = 15;
constexpr double kSameConfigurationPercent = 60;

}  // namespace

// At most once a second, as the proxy does it, and at a clean exit.
void World::save_state() {
  schedule(kSaveEvery, EventKind::state_saved);
  save_now();
}

void World::save_now() {
  saved_.clear();
  saved_at_ = now_;
  for (const PriorityLevel& level : latest_->levels) {
    for (const auto& backend : level.backends) {
      if (auto state = save(*backend)) saved_.push_back(std::move(*state));
    }
  }
  checker_.saving();
}

void World::restart() {
  schedule(around(kRestartsEvery), EventKind::restart);
  if (chance(kCleanExitPercent)) save_now();
  stop();
  now_ += chance(kLongDownPercent) ? 2 * kStateMaxAge : around(kDownTime);
  const bool is_too_old = now_ - saved_at_ > kStateMaxAge;
  if (!is_too_old || options_.fault == Fault::restores_what_is_too_old) unclaimed_ = saved_;
  checker_.restarted(is_too_old ? Checker::Kept::is_too_old : Checker::Kept::counts);
  if (has(Feature::reloads) && !chance(kSameConfigurationPercent)) configure();
  start();
}

// Whatever is under way is forgotten with the process.
void World::stop() {
  ++process_;
  is_stopping_ = true;
  pending_.clear();
  sessions_.clear();
  probes_.clear();
  lost_.clear();
  news_.clear();
  unclaimed_.clear();
  pickers_.clear();
  latest_.reset();
  cluster_.reset();
  is_stopping_ = false;
}

void World::start() {
  cluster_ = std::make_shared<Cluster>(
      "web", [this](const Transition& transition) { hear(transition); }, Random(random_.next()));
  apply(Arrival::cold_start);
  for (size_t worker = 0; worker < options_.workers; ++worker) {
    pickers_.push_back(std::make_unique<Picker>(latest_, Random(random_.next())));
  }
}

// With every configuration, because a backend may come late. What was taken is not given again.
void World::restore_state() {
  std::erase_if(unclaimed_, [this](SavedBackend& saved) {
    if (is_broken(Fault::forgets_what_was_saved, 30)) return false;
    if (options_.fault == Fault::overrules_the_configuration) {
      for (const BackendSettings& configured : configured_) {
        if (configured.name != saved.name) continue;
        saved.configured_state = configured.admin_state;
        saved.configured_weight = configured.weight;
      }
    }
    checker_.restoring(saved.name, now_);
    const bool was_there = cluster_->restore(saved, now_);
    checker_.restored(saved.name, was_there);
    return was_there;
  });
  checker_.restored_all();
}

}  // namespace sluice::sim
