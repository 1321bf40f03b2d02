#include "sluice/core/balancer.h"

#include "first.h"
#include "least_connections.h"
#include "maglev.h"
#include "random_choice.h"
#include "round_robin.h"
#include "source_hash.h"

namespace sluice {

std::unique_ptr<Balancer> make_balancer(const BalanceSettings& settings, Random random) {
  switch (settings.policy) {
    case BalancePolicy::round_robin:
      return std::make_unique<RoundRobin>(random);
    case BalancePolicy::least_connections:
      return std::make_unique<LeastConnections>(random);
    case BalancePolicy::random:
      return std::make_unique<RandomChoice>(settings.choices, random);
    case BalancePolicy::source_hash:
      return std::make_unique<SourceHash>(settings, random);
    case BalancePolicy::maglev:
      return std::make_unique<Maglev>(settings, random);
    case BalancePolicy::first:
      return std::make_unique<First>();
  }
  return nullptr;
}

}  // namespace sluice
