// What a probe says after its connect and what it expects to hear, in that order. Made once from
// the configuration, then only read: the settings of `type: tcp` and `type: http` end here, and
// whoever goes through a script knows of neither.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "sluice/base/address.h"
#include "sluice/config/config.h"

namespace sluice {

struct SendStep {
  std::string bytes;
};

// Anywhere in what is heard after what the step before has found.
struct ExpectStep {
  std::string bytes;
};

// The status of an HTTP/1 answer; 1xx answers before it are skipped.
struct ExpectStatusStep {
  std::vector<StatusRange> ranges;
};

using ProbeStep = std::variant<SendStep, ExpectStep, ExpectStatusStep>;
using ProbeScript = std::vector<ProbeStep>;

// `target` is what the probe connects to. An empty script: to be connected is all.
ProbeScript make_probe_script(const HealthCheckConfig& config, const Address& target);

}  // namespace sluice
