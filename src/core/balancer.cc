#include "sluice/core/balancer.h"

#include "least_connections.h"
#include "round_robin.h"

namespace sluice {

std::unique_ptr<Balancer> make_balancer(BalancePolicy policy, Random random) {
  switch (policy) {
    case BalancePolicy::round_robin:
      return std::make_unique<RoundRobin>(random);
    case BalancePolicy::least_connections:
      return std::make_unique<LeastConnections>(random);
  }
  return nullptr;
}

}  // namespace sluice
