#include "sluice/control/state_file.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "sluice/base/json.h"
#include "sluice/core/backend.h"

namespace sluice {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;
using std::chrono::milliseconds;

constexpr int64_t kVersion = 1;
constexpr int64_t kTimeMsMax = 9'000'000'000'000;  // the year 2255; nanoseconds reach to 2262
constexpr int64_t kFailedTrialsMax = 1'000'000;
constexpr size_t kTextBytesMax = 4096;  // of a name or an address
// Farther from now than any open period goes, and near enough for nanoseconds.
constexpr milliseconds kDistanceMax = std::chrono::hours(24 * 366);

constexpr std::array kAdminStates{AdminState::ready, AdminState::draining, AdminState::maintenance};

milliseconds since_1970(WallTime time) {
  return std::chrono::floor<milliseconds>(time.time_since_epoch());
}

int64_t to_wall_ms(TimePoint time, const Moment& now) {
  return (since_1970(now.wall) + std::chrono::floor<milliseconds>(time - now.monotonic)).count();
}

TimePoint to_monotonic(int64_t wall_ms, const Moment& now) {
  const milliseconds distance = milliseconds(wall_ms) - since_1970(now.wall);
  return now.monotonic + std::clamp(distance, -kDistanceMax, kDistanceMax);
}

void append(std::string& out, const SavedBackend& backend, const Moment& now) {
  out += "{\"name\":";
  append_json_string(out, backend.name);
  out += ",\"address\":";
  append_json_string(out, backend.address);
  const auto end = std::back_inserter(out);
  fmt::format_to(end, R"(,"configured":{{"state":"{}","weight":{}}},"state":"{}","weight":{})",
                 name(backend.configured_state), backend.configured_weight,
                 name(backend.admin_state), backend.weight);
  out += backend.is_unhealthy ? ",\"unhealthy\":true" : ",\"unhealthy\":false";
  if (backend.breaker) {
    fmt::format_to(end, R"(,"breaker":{{"reopens_at_ms":{},"failed_trials":{})",
                   to_wall_ms(backend.breaker->reopens_at, now), backend.breaker->failed_trials);
    if (backend.ejected_by != Detector::none) {
      fmt::format_to(end, R"(,"ejected_by":"{}")", name(backend.ejected_by));
    }
    out += '}';
  }
  out += '}';
}

// What the first thing wrong is; thrown inside this file only, because the way up is long and
// straight.
struct Damage {
  std::string what;
};

// An object whose members are taken one by one; in the end none may be left.
class Members {
 public:
  Members(element value, std::string where) : where_(std::move(where)) {
    if (value.get(object_) != simdjson::SUCCESS) throw Damage{where_ + " is not an object"};
  }

  element take(std::string_view key) {
    element value;
    if (!find(key, value)) throw Damage{fmt::format("{} has no '{}'", where_, key)};
    return value;
  }

  bool find(std::string_view key, element& value) {
    if (object_.at_key(key).get(value) != simdjson::SUCCESS) return false;
    ++taken_;
    return true;
  }

  std::string text(std::string_view key) {
    std::string_view text;
    if (take(key).get(text) != simdjson::SUCCESS) wrong(key, "a string");
    if (text.empty() || text.size() > kTextBytesMax) {
      wrong(key, fmt::format("1 to {} bytes long", kTextBytesMax));
    }
    return std::string(text);
  }

  int64_t number(std::string_view key, int64_t greatest) {
    int64_t number = 0;
    if (take(key).get(number) != simdjson::SUCCESS || number < 0 || number > greatest) {
      wrong(key, fmt::format("a whole number up to {}", greatest));
    }
    return number;
  }

  bool boolean(std::string_view key) {
    bool value = false;
    if (take(key).get(value) != simdjson::SUCCESS) wrong(key, "true or false");
    return value;
  }

  AdminState admin_state(std::string_view key) {
    std::string_view text;
    const bool is_text = take(key).get(text) == simdjson::SUCCESS;
    for (const AdminState state : kAdminStates) {
      if (is_text && text == name(state)) return state;
    }
    wrong(key, "an administrative state");
  }

  // Whose ejection it is; nobody's when it is not said, as before there were any.
  Detector ejected_by(std::string_view key) {
    element value;
    if (!find(key, value)) return Detector::none;
    std::string_view text;
    const bool is_text = value.get(text) == simdjson::SUCCESS;
    for (const Detector detector : kCappedDetectors) {
      if (is_text && text == name(detector)) return detector;
    }
    wrong(key, "a detector that ejects");
  }

  array list(std::string_view key) {
    array list;
    if (take(key).get(list) != simdjson::SUCCESS) wrong(key, "a list");
    return list;
  }

  // Unknown members and repeated ones alike.
  void end() const {
    if (object_.size() != taken_) throw Damage{where_ + " has members that do not belong there"};
  }

 private:
  [[noreturn]] void wrong(std::string_view key, std::string_view expected) const {
    throw Damage{fmt::format("'{}' of {} is not {}", key, where_, expected)};
  }

  object object_;
  const std::string where_;
  size_t taken_ = 0;
};

SavedBackend read_backend(element value, std::string where, const Moment& now) {
  Members members(value, std::move(where));
  SavedBackend backend;
  backend.name = members.text("name");
  backend.address = members.text("address");
  Members configured(members.take("configured"), "'configured' of a backend");
  backend.configured_state = configured.admin_state("state");
  backend.configured_weight = static_cast<uint32_t>(configured.number("weight", kBackendWeightMax));
  configured.end();
  backend.admin_state = members.admin_state("state");
  backend.weight = static_cast<uint32_t>(members.number("weight", kBackendWeightMax));
  backend.is_unhealthy = members.boolean("unhealthy");
  if (element found; members.find("breaker", found)) {
    Members breaker(found, "'breaker' of a backend");
    const int64_t reopens_at = breaker.number("reopens_at_ms", kTimeMsMax);
    const int64_t failed_trials = breaker.number("failed_trials", kFailedTrialsMax);
    backend.breaker = SavedBreaker{.reopens_at = to_monotonic(reopens_at, now),
                                   .failed_trials = static_cast<uint32_t>(failed_trials)};
    backend.ejected_by = breaker.ejected_by("ejected_by");
    breaker.end();
  }
  members.end();
  return backend;
}

SavedCluster read_cluster(element value, size_t number, const Moment& now) {
  Members members(value, fmt::format("cluster {}", number));
  SavedCluster cluster{.name = members.text("name"), .backends = {}};
  for (const element backend : members.list("backends")) {
    const size_t its_number = cluster.backends.size() + 1;
    cluster.backends.push_back(
        read_backend(backend, fmt::format("backend {} of cluster {}", its_number, number), now));
  }
  members.end();
  return cluster;
}

SavedState read_state(element value, const Moment& now) {
  Members members(value, "the file");
  const int64_t version = members.number("sluice_state", kTimeMsMax);
  if (version != kVersion) {
    throw Damage{fmt::format("it is of version {}, this program knows {}", version, kVersion)};
  }
  SavedState state;
  state.written_at = WallTime(milliseconds(members.number("written_at_ms", kTimeMsMax)));
  for (const element cluster : members.list("clusters")) {
    state.clusters.push_back(read_cluster(cluster, state.clusters.size() + 1, now));
  }
  members.end();
  return state;
}

}  // namespace

std::string render_state(const std::vector<SavedCluster>& clusters, const Moment& now) {
  std::string out = fmt::format(R"({{"sluice_state":{},"written_at_ms":{},"clusters":[)", kVersion,
                                since_1970(now.wall).count());
  for (const SavedCluster& cluster : clusters) {
    out += &cluster == &clusters.front() ? "\n{\"name\":" : ",\n{\"name\":";
    append_json_string(out, cluster.name);
    out += ",\"backends\":[";
    for (const SavedBackend& backend : cluster.backends) {
      out += &backend == &cluster.backends.front() ? "\n" : ",\n";
      append(out, backend, now);
    }
    out += "]}";
  }
  return out + "]}\n";
}

Result<SavedState> parse_state(std::string_view text, const Moment& now) {
  simdjson::dom::parser parser;
  element document;
  if (const auto error = parser.parse(text.data(), text.size()).get(document)) {
    return failure(fmt::format("it is not JSON: {}", simdjson::error_message(error)));
  }
  try {
    return read_state(document, now);
  } catch (const Damage& damage) {
    return failure(damage.what);
  }
}

}  // namespace sluice
