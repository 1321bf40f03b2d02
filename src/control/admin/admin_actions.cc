#include "admin_actions.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "sluice/core/cluster.h"

namespace sluice {
namespace {

std::optional<uint32_t> to_weight(std::string_view text) {
  uint32_t weight = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (error != std::errc{} || stop != text.data() + text.size() || weight > kBackendWeightMax) {
    return std::nullopt;
  }
  return weight;
}

}  // namespace

template <typename Act>
HttpAnswer AdminActions::with_target(const AdminCall& call, Act act) {
  for (const auto& control : scope_.clusters) {
    if (control->config().name != call.names[0]) continue;
    const std::shared_ptr<Backend> backend = control->cluster()->find(call.names[1]);
    if (!backend) {
      return http_error(
          404, fmt::format("cluster '{}' has no backend '{}'", call.names[0], call.names[1]));
    }
    return act(Target{*control, *backend});
  }
  return http_error(404, fmt::format("there is no cluster '{}'", call.names[0]));
}

HttpAnswer AdminActions::show(const Target& target) const {
  const AdminTime time{scope_.loop.now(), WallTime::clock::now()};
  return http_json(render_backend(target.control, target.backend, time));
}

void AdminActions::note(const AdminCall& call, const AdminChange& change) {
  scope_.log.info("admin",
                  fmt::format("{} {} of {} set from {} to {} by {}", change.cluster, change.kind,
                              change.backend, change.from, change.to, call.request.who));
  scope_.keep();
  on_change_(change);
}

HttpAnswer AdminActions::set_admin_state(const AdminCall& call, AdminState state) {
  return with_target(call, [&](const Target& target) {
    const AdminState before = target.backend.admin_state();
    if (state != before) {
      target.cluster().set_admin_state(target.backend, state, scope_.loop.now());
      note(call, {.kind = "administrative",
                  .cluster = target.cluster().name(),
                  .backend = target.backend.name(),
                  .from = std::string(name(before)),
                  .to = std::string(name(state))});
    }
    return show(target);
  });
}

HttpAnswer AdminActions::set_weight(const AdminCall& call) {
  const auto weight = to_weight(call.target.parameter("value").value_or(""));
  if (!weight) {
    return http_error(400, fmt::format("?value= must be a weight from 0 to {}", kBackendWeightMax));
  }
  return with_target(call, [&](const Target& target) {
    const uint32_t before = target.backend.weight();
    if (*weight != before) {
      target.cluster().set_weight(target.backend, *weight, scope_.loop.now());
      scope_.publish(target.control);
      note(call, {.kind = "weight",
                  .cluster = target.cluster().name(),
                  .backend = target.backend.name(),
                  .from = std::to_string(before),
                  .to = std::to_string(*weight)});
    }
    return show(target);
  });
}

// The breaker's own transition is logged, kept and told of where all are; here is who did it.
HttpAnswer AdminActions::trip(const AdminCall& call) {
  return with_target(call, [&](const Target& target) {
    if (!target.control.config().settings.circuit_breaker.is_enabled) {
      return http_error(409, "circuit_breaker is off in this cluster");
    }
    const BreakerState state = target.backend.breaker().state(scope_.loop.now());
    if (state == BreakerState::half_open) {
      return http_error(409, "the breaker is half_open: its trial decides");
    }
    if (target.cluster().trip(target.backend, scope_.loop.now())) {
      scope_.log.info("admin",
                      fmt::format("{} breaker of {} tripped by {}", target.cluster().name(),
                                  target.backend.name(), call.request.who));
    }
    return show(target);
  });
}

HttpAnswer AdminActions::reset(const AdminCall& call) {
  return with_target(call, [&](const Target& target) {
    if (target.cluster().reset(target.backend, scope_.loop.now())) {
      scope_.log.info("admin", fmt::format("{} breaker of {} reset by {}", target.cluster().name(),
                                           target.backend.name(), call.request.who));
    }
    return show(target);
  });
}

}  // namespace sluice
