// Which request is for whom: a table of methods and paths, looked through from top to bottom.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http_message.h"
#include "http_target.h"

namespace sluice {

// What a request wants, which decides what it must show for it (admin_guard.h).
enum class AdminNeed : uint8_t {
  page,    // a static page without anything of this process in it
  read,    // to be told something
  secret,  // to be told what the configuration was given in confidence
  change,  // to change something
};

// A request that has found its route.
struct AdminCall {
  const HttpRequest& request;
  std::vector<std::string> names;  // what stood in the path for {} and {+}, in that order
  HttpTarget target;
};

class AdminRoutes {
 public:
  using Handler = std::function<void(const AdminCall&, HttpReply)>;

  // In `path` {} stands for one segment and {+} for one or more, which come as one text with their
  // slashes. GET is changed by nothing, and HEAD is a GET without its body.
  void add(std::string_view method, std::string_view path, AdminNeed need, Handler handler);

  struct Match {
    AdminNeed need;
    const Handler* handler;
    AdminCall call;
  };
  // The route, or the answer that there is none: 400, 404 or, with the methods there are, 405.
  std::variant<Match, HttpAnswer> find(const HttpRequest& request) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> pattern;
    AdminNeed need;
    Handler handler;
  };
  std::vector<Route> routes_;
};

}  // namespace sluice
