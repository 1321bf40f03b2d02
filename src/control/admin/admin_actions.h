// What an operator can do to backends at run time. Each change is logged, told to those who follow
// the events, and kept over a restart. Control loop only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "admin_routes.h"
#include "admin_scope.h"
#include "admin_views.h"

namespace sluice {

class AdminActions {
 public:
  AdminActions(const AdminScope& scope, std::function<void(const AdminChange&)> on_change)
      : scope_(scope), on_change_(std::move(on_change)) {}

  // The call's names are a cluster and a backend; the answer is the backend as it is then.
  HttpAnswer set_admin_state(const AdminCall& call, AdminState state);
  HttpAnswer trip(const AdminCall& call);
  HttpAnswer reset(const AdminCall& call);
  // `?value=N`
  HttpAnswer set_weight(const AdminCall& call);

 private:
  struct Target {
    ClusterControl& control;
    Backend& backend;
    Cluster& cluster() const { return *control.cluster(); }
  };
  template <typename Act>
  HttpAnswer with_target(const AdminCall& call, Act act);
  HttpAnswer show(const Target& target) const;
  void note(const AdminCall& call, const AdminChange& change);

  const AdminScope& scope_;
  const std::function<void(const AdminChange&)> on_change_;
};

}  // namespace sluice
