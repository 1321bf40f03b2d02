#include "validate_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "given.h"
#include "scalar.h"
#include "text.h"

namespace sluice {
namespace {

constexpr size_t kProbeStepsMax = 32;

class ProbeValidation {
 public:
  ProbeValidation(const HealthCheckConfig& check, const std::string& section, const Places& places,
                  Problems& problems)
      : check_(check), section_(section), places_(places), problems_(problems) {}

  void run() const;

 private:
  const Place* given(std::initializer_list<std::string> paths) const {
    return sluice::given(places_, paths);
  }

  void check_dialogue() const;
  void check_http() const;
  void check_request_word(std::string_view word, const std::string& path,
                          std::string_view key) const;

  const HealthCheckConfig& check_;
  const std::string& section_;
  const Places& places_;
  Problems& problems_;
};

void ProbeValidation::run() const {
  const auto compare = [&](Duration interval, const std::string& name) {
    const Place* place = given({section_ + ".timeout", fmt::format("{}.{}", section_, name)});
    if (place == nullptr || check_.timeout <= interval) return;
    problems_.warning(
        *place, fmt::format("health_check.timeout ({}) is longer than {} ({})",
                            format_duration(check_.timeout), name, format_duration(interval)));
  };
  compare(check_.interval, "interval");
  compare(check_.unhealthy_interval, "unhealthy_interval");
  if (check_.type == ProbeType::http) {
    check_http();
  } else {
    check_dialogue();
  }
}

void ProbeValidation::check_dialogue() const {
  for (const std::string_view key : {"method", "path", "host", "status"}) {
    if (const Place* place = given({fmt::format("{}.{}", section_, key)})) {
      problems_.error(*place, fmt::format("health_check.{} is for HTTP: add type: http", key));
    }
  }
  const Place* steps = given({section_ + ".steps"});
  const Place* send = given({section_ + ".send"});
  const Place* expect = given({section_ + ".expect"});
  for (const Place* place : {send, expect}) {
    if (steps == nullptr || place == nullptr) continue;
    problems_.error(*place, "health_check.steps is there too: make this one of the steps");
  }
  if (send != nullptr && check_.expect.empty() && steps == nullptr) {
    problems_.warning(*send, "health_check.send without expect: whatever the answer is, it passes");
  }
  if (steps == nullptr) return;
  if (check_.steps.size() > kProbeStepsMax) {
    problems_.error(*steps, fmt::format("health_check.steps: more than {}", kProbeStepsMax));
  } else if (!check_.steps.empty() && check_.steps.back().expect.empty()) {
    problems_.warning(*steps,
                      "health_check.steps does not end with an expect: whatever is answered "
                      "to its last step, it passes");
  }
  for (size_t i = 0; i < check_.steps.size(); ++i) {
    if (check_.steps[i].send.empty() != check_.steps[i].expect.empty()) continue;
    problems_.error(place_of(places_, fmt::format("{}.steps[{}]", section_, i)),
                    "a step of health_check has one of send and expect, and it is not empty");
  }
}

void ProbeValidation::check_http() const {
  for (const std::string_view key : {"send", "expect", "steps"}) {
    if (const Place* place = given({fmt::format("{}.{}", section_, key)})) {
      problems_.error(*place,
                      fmt::format("health_check.{} does not belong to type: http, which has "
                                  "method, path, host and status",
                                  key));
    }
  }
  check_request_word(check_.http.path, section_ + ".path", "path");
  check_request_word(check_.http.host, section_ + ".host", "host");
  const Place* path = given({section_ + ".path"});
  if (path != nullptr && !check_.http.path.starts_with('/') && check_.http.path != "*") {
    problems_.error(*path, fmt::format("health_check.path begins with a slash, as in /{}",
                                       excerpt(check_.http.path)));
  }
}

// A blank would end it, and a line break begin a header.
void ProbeValidation::check_request_word(std::string_view word, const std::string& path,
                                         std::string_view key) const {
  const bool is_plain =
      std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c < '\x7F'; });
  if (is_plain) return;
  problems_.error(place_of(places_, path),
                  fmt::format("health_check.{} has a character that a request "
                              "cannot carry: write a blank as %20, and so on",
                              key));
}

}  // namespace

void validate_probe(const HealthCheckConfig& check, const std::string& section,
                    const Places& places, Problems& problems) {
  ProbeValidation(check, section, places, problems).run();
}

}  // namespace sluice
