#include "admin_server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <utility>

#include "build_info.h"
#include "dashboard.h"
#include "session_query.h"
#include "sluice/config/schema.h"

namespace sluice {
namespace {

// Distinguishes this process from the one before: when it began, in milliseconds since 1970.
std::string make_epoch() {
  const auto since_1970 = WallTime::clock::now().time_since_epoch();
  return fmt::format("{:x}",
                     std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count());
}

std::string own_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? single_label(name.data())
                                                          : std::string();
}

// Whose streams were opened with the token.
constexpr auto kIsWithToken = [](const Address& peer) { return is_from_elsewhere(peer); };

// Clusters are rendered anew at most that often when they are so large that it takes a while.
constexpr Duration kShownFor = std::chrono::milliseconds(200);
constexpr size_t kLargeBytes = size_t{256} * 1024;

// The dashboard: one document that asks the API for everything it shows. The same for everybody, so
// a browser may keep it as long as it asks whether it is still this one.
HttpAnswer show_page(const AdminCall& call) {
  HttpAnswer answer;
  answer.content_type = "text/html; charset=utf-8";
  answer.headers.emplace_back("Cache-Control", "no-cache");
  answer.headers.emplace_back("Content-Security-Policy", kDashboardPolicy);
  answer.headers.emplace_back("ETag", kDashboardTag);
  if (call.request.header("If-None-Match") == kDashboardTag) {
    answer.status = 304;
  } else {
    answer.body = kDashboardPage;
  }
  return answer;
}

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::open(AdminScope scope, UniqueFd socket,
                                                       Options options) {
  std::unique_ptr<AdminServer> admin(
      new AdminServer(std::move(scope), std::move(options.token_file)));
  HttpServer::Limits limits;
  limits.connections_max = options.connections_max;
  // Neither one host nor followers of the events may take all of them.
  limits.connections_per_ip_max = std::max(options.connections_max / 2, 1U);
  limits.streams_max = std::max(options.connections_max / 4, 1U);
  limits.streams_per_ip_max = std::max(limits.streams_max / 2, 1U);
  AdminServer& self = *admin;
  auto http = HttpServer::open(
      self.scope_.loop, self.scope_.poller, std::move(socket), limits,
      {.check = [&self](const HttpRequest& request) { return self.check(request); },
       .handle = [&self](const HttpRequest& request,
                         HttpReply reply) { self.handle(request, std::move(reply)); },
       .on_shortage =
           [&self](std::string_view why) {
             self.scope_.log.notice({.kind = WorkerNotice::Kind::accept_paused,
                                     .listener = "admin",
                                     .why = std::string(why)});
           }});
  if (!http) return tl::unexpected(http.error());
  self.http_ = std::move(*http);
  return admin;
}

AdminServer::AdminServer(AdminScope scope, std::optional<TokenFile> token_file)
    : scope_(std::move(scope)),
      started_at_(scope_.loop.now()),
      token_file_(std::move(token_file)),
      token_due_(scope_.loop, [this] { watch_token(); }),
      guard_(token_file_ ? token_file_->token(started_at_) : std::string(), own_name()),
      sessions_(scope_, [this](Duration took) { http_->count_work(took); }),
      events_(scope_.loop, make_epoch(), [this] { http_->wake_streams(); }),
      actions_(scope_,
               [this](const AdminChange& change) {
                 clusters_shown_.until = {};
                 events_.add(render_change(change, time()));
               }),
      metrics_(scope_, refusals_, [this](Duration took) { http_->count_work(took); }) {
  add_routes();
  add_backend_routes();
  if (token_file_) follow_token_file();
}

void AdminServer::follow_token_file() {
  const std::string& path = token_file_->path();
  token_file_->set_reports({.on_change =
                                [this, &path] {
                                  scope_.log.info("admin", "a new token is in " + path);
                                  // Whoever still has only the old one hears no more.
                                  http_->end_streams(kIsWithToken);
                                },
                            .on_trouble =
                                [this](std::string_view why) {
                                  scope_.log.warning(
                                      "admin",
                                      fmt::format("{}; the token of before stays in force", why));
                                }});
}

// Requests look at the file themselves; a stream goes on while nobody asks for anything.
void AdminServer::watch_token() {
  guard_.set_token(token_file_->token(scope_.loop.now()));
  if (http_->has_streams(kIsWithToken)) token_due_.start(TokenFile::kLookAgainAfter);
}

HttpAnswer AdminServer::follow_events(const AdminCall& call) {
  const bool needs_token = token_file_ && is_from_elsewhere(call.request.peer);
  if (needs_token && !token_due_.is_running()) token_due_.start(TokenFile::kLookAgainAfter);
  return events_.follow(call);
}

AdminTime AdminServer::time() const { return {scope_.loop.now(), WallTime::clock::now()}; }

void AdminServer::note(const Transition& transition) {
  clusters_shown_.until = {};
  events_.add(render_transition(transition, time()));
}

HttpAnswer AdminServer::show_clusters() {
  if (scope_.loop.now() < clusters_shown_.until) return http_shared_json(clusters_shown_.text);
  const SharedText text = share_text(render_clusters(scope_.clusters, time()) + '\n');
  if (text->size() > kLargeBytes) {
    clusters_shown_.text = text;
    clusters_shown_.until = scope_.loop.now() + kShownFor;
  }
  return http_shared_json(text);
}

HttpAnswer AdminServer::show_config() {
  if (!config_shown_) {
    config_shown_ = share_text(render_effective_config_json(scope_.config) + '\n');
  }
  return http_shared_json(config_shown_);
}

std::optional<HttpAnswer> AdminServer::check(const HttpRequest& request) {
  if (token_file_ && request.header("Authorization")) {
    guard_.set_token(token_file_->token(scope_.loop.now()));
  }
  auto found = routes_.find(request);
  const auto* match = std::get_if<AdminRoutes::Match>(&found);
  // Who may not ask learns nothing about what there is.
  auto refusal = guard_.refuse(request, match != nullptr ? match->need : AdminNeed::read);
  if (refusal) note_refusal(request, refusal->status);
  if (refusal || match != nullptr) return refusal;
  return std::get<HttpAnswer>(std::move(found));
}

// Of one host a line a minute: whoever tries is to be seen, and not to fill the log.
void AdminServer::note_refusal(const HttpRequest& request, unsigned status) {
  constexpr unsigned kUnauthorized = 401;
  const bool is_unauthorized = status == kUnauthorized;
  ++(is_unauthorized ? refusals_.unauthorized : refusals_.forbidden);
  const std::string host = request.peer.is_ip() ? request.peer.host_string() : std::string("unix");
  scope_.log.condition(
      LogLevel::warning, "admin_refused", fmt::format("{} {}", host, status),
      fmt::format("a request of {} was refused ({}): {}", request.who, status,
                  is_unauthorized ? "its token is missing or wrong"
                                  : "its Host is not ours, or a page of another site sent it"));
}

void AdminServer::handle(const HttpRequest& request, HttpReply reply) const {
  const auto found = routes_.find(request);
  const auto& match = std::get<AdminRoutes::Match>(found);  // as check() has found it
  (*match.handler)(match.call, std::move(reply));
}

void AdminServer::add_routes() {
  using Show = std::function<HttpAnswer(const AdminCall&)>;
  const auto get = [this](std::string_view path, Show show) {
    routes_.add("GET", path, AdminNeed::read,
                [show = std::move(show)](const AdminCall& call, const HttpReply& reply) {
                  reply(show(call));
                });
  };
  routes_.add("GET", "/", AdminNeed::page,
              [](const AdminCall& call, const HttpReply& reply) { reply(show_page(call)); });
  routes_.add("GET", "/metrics", AdminNeed::read,
              [this](const AdminCall&, HttpReply reply) { metrics_.show(std::move(reply)); });
  get("/live", [](const AdminCall&) { return http_json(R"({"live":true})"); });
  get("/ready", [this](const AdminCall&) { return show_ready(); });
  get("/api/status", [this](const AdminCall&) { return show_status(); });
  get("/api/clusters", [this](const AdminCall&) { return show_clusters(); });
  get("/api/listeners",
      [this](const AdminCall&) { return http_json(render_listeners(scope_.listeners)); });
  get("/api/events", [this](const AdminCall& call) { return follow_events(call); });
  routes_.add(
      "GET", "/api/sessions", AdminNeed::read,
      [this](const AdminCall& call, HttpReply reply) { list_sessions(call, std::move(reply)); });
  routes_.add("GET", "/api/config", AdminNeed::secret,
              [this](const AdminCall&, const HttpReply& reply) { reply(show_config()); });
  routes_.add(
      "POST", "/api/sessions/{}/close", AdminNeed::change,
      [this](const AdminCall& call, HttpReply reply) { close_session(call, std::move(reply)); });
  routes_.add("POST", "/api/reload", AdminNeed::change,
              [](const AdminCall&, const HttpReply& reply) {
                reply(http_error(501,
                                 "this version cannot reload yet: restart it to apply a new "
                                 "file"));
              });
  routes_.add("POST", "/api/drain", AdminNeed::change,
              [this](const AdminCall& call, const HttpReply& reply) {
                scope_.log.info("admin", "drain asked for by " + call.request.who);
                scope_.drain();
                reply(http_json(R"({"state":"draining"})", 202));
              });
}

void AdminServer::add_backend_routes() {
  using Act = std::function<HttpAnswer(const AdminCall&)>;
  const auto post = [this](std::string_view action, Act act) {
    routes_.add("POST", fmt::format("/api/clusters/{{}}/backends/{{+}}/{}", action),
                AdminNeed::change,
                [act = std::move(act)](const AdminCall& call, const HttpReply& reply) {
                  reply(act(call));
                });
  };
  const auto set = [this](AdminState state) {
    return [this, state](const AdminCall& call) { return actions_.set_admin_state(call, state); };
  };
  post("ready", set(AdminState::ready));
  post("drain", set(AdminState::draining));
  post("maintenance", set(AdminState::maintenance));
  post("trip", [this](const AdminCall& call) { return actions_.trip(call); });
  post("reset", [this](const AdminCall& call) { return actions_.reset(call); });
  post("weight", [this](const AdminCall& call) { return actions_.set_weight(call); });
}

HttpAnswer AdminServer::show_ready() const {
  const ServingState state = scope_.state();
  const bool is_ready = state == ServingState::accepting;
  HttpAnswer answer;
  answer.status = is_ready ? 200 : 503;
  JsonWriter json(answer.body);
  json.begin_object();
  json.member("ready", is_ready);
  json.member("state", name(state));
  if (!is_ready) json.member("error", fmt::format("no client is accepted: {}", name(state)));
  json.end_object();
  answer.body += '\n';
  return answer;
}

HttpAnswer AdminServer::show_status() const {
  return http_json(render_status(
      scope_,
      {.version = kVersion, .started_at = started_at_, .last_event_id = events_.ring().last_id()},
      time()));
}

void AdminServer::close_session(const AdminCall& call, HttpReply reply) {
  const std::string& id = call.names[0];
  sessions_.close(id, [reply = std::move(reply), &log = scope_.log,
                       message = fmt::format("session {} closed by {}", id, call.request.who)](
                          HttpAnswer answer) {
    constexpr unsigned kClosed = 200;
    if (answer.status == kClosed) log.info("admin", message);
    reply(std::move(answer));
  });
}

void AdminServer::list_sessions(const AdminCall& call, HttpReply reply) {
  auto query = read_session_query(call.target, scope_.config);
  if (query) {
    sessions_.list(std::move(*query), std::move(reply));
  } else {
    reply(std::move(query.error()));
  }
}

}  // namespace sluice
