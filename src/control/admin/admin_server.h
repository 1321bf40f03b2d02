// The admin side of a running server: the HTTP server, who may ask for what, and which request goes
// to whom. Lives on the control loop and never waits for anybody.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "admin_actions.h"
#include "admin_events.h"
#include "admin_guard.h"
#include "admin_routes.h"
#include "admin_scope.h"
#include "admin_sessions.h"
#include "http_server.h"
#include "metrics/metrics_page.h"
#include "sluice/core/transition.h"
#include "token_file.h"

namespace sluice {

class AdminServer {
 public:
  struct Options {
    uint32_t connections_max = 256;
    std::optional<TokenFile> token_file;
  };
  // `socket` is listening and non-blocking.
  static Result<std::unique_ptr<AdminServer>> open(AdminScope scope, UniqueFd socket,
                                                   Options options);
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // Something about a backend has changed.
  void note(const Transition& transition);

 private:
  AdminServer(AdminScope scope, std::optional<TokenFile> token_file);
  void follow_token_file();
  void watch_token();
  void add_routes();
  void add_backend_routes();
  HttpAnswer show_ready() const;
  HttpAnswer show_clusters();
  HttpAnswer show_config();
  HttpAnswer show_status() const;
  HttpAnswer follow_events(const AdminCall& call);
  void close_session(const AdminCall& call, HttpReply reply);
  void list_sessions(const AdminCall& call, HttpReply reply);
  std::optional<HttpAnswer> check(const HttpRequest& request);
  void note_refusal(const HttpRequest& request, unsigned status);
  void handle(const HttpRequest& request, HttpReply reply) const;
  AdminTime time() const;

  const AdminScope scope_;
  const TimePoint started_at_;
  std::optional<TokenFile> token_file_;
  Timer token_due_;  // while there are streams that were opened with the token
  AdminGuard guard_;
  AdminRefusals refusals_;
  AdminRoutes routes_;
  AdminSessions sessions_;
  AdminEvents events_;
  AdminActions actions_;
  MetricsPage metrics_;
  // A large answer serves all who ask within a moment, unless something has happened since.
  struct {
    SharedText text;
    TimePoint until{};
  } clusters_shown_;
  SharedText config_shown_;  // once somebody has asked: it does not change
  std::unique_ptr<HttpServer> http_;
};

}  // namespace sluice
