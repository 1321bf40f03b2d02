// A cluster of real addresses with its probers on a loop, and what they found.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/control/health_checker.h"
#include "sockets.h"
#include "waiting.h"

namespace sluice {

class HealthCheckerTest : public testing::Test {
 protected:
  void watch(const std::vector<Address>& addresses, HealthCheckConfig check) {
    config_.name = "web";
    config_.health_check = std::move(check);
    config_.settings.circuit_breaker.jitter = 0;
    for (const Address& address : addresses) {
      BackendSettings settings;
      settings.name = address.to_string();
      settings.address = address;
      settings_.push_back(settings);
    }
    cluster_ = std::make_shared<Cluster>(
        "web", [this](Transition change) { transitions_.push_back(std::move(change)); }, Random(1));
    cluster_->apply(config_.settings, settings_, Arrival::cold_start, loop_.now());
    checker_ = std::make_unique<HealthChecker>(loop_, poller_, Random(2));
    checker_->watch(cluster_, config_, settings_);
  }

  Backend& backend(size_t index = 0) {
    return *cluster_->snapshot()->levels.front().backends[index];
  }

  bool becomes(Health health, size_t index = 0) {
    return run_until(loop_, [&] { return backend(index).health() == health; });
  }

  // Accepts on `server` and talks: reads what a probe sends, answers, hangs up if told so.
  bool serve_once(const UniqueFd& server, std::string_view answer,
                  std::string* received = nullptr) {
    if (!run_until(loop_, [&] { return has_pending_client(server); })) return false;
    clients_.push_back(accept_from(server));
    if (received != nullptr) {
      const size_t wanted = config_.health_check->send.size();
      run_until(loop_, [&] {
        receive_some(clients_.back(), *received);
        return received->size() >= wanted;
      });
    }
    if (!answer.empty()) send_all(clients_.back(), answer);
    return true;
  }

  static HealthCheckConfig quick() {
    HealthCheckConfig check;
    check.interval = std::chrono::milliseconds(40);
    check.unhealthy_interval = std::chrono::milliseconds(20);
    check.timeout = std::chrono::milliseconds(200);
    return check;
  }

  std::string last_why() const { return transitions_.empty() ? "" : transitions_.back().why; }

  Loop loop_;
  Poller poller_{loop_};
  ClusterConfig config_;
  std::vector<BackendSettings> settings_;
  std::deque<Transition> transitions_;
  std::shared_ptr<Cluster> cluster_;
  std::deque<UniqueFd> clients_;
  std::unique_ptr<HealthChecker> checker_;
};

}  // namespace sluice
