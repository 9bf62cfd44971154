// Which request means what: the table of the server's routes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "net/http_server.hpp"
#include "net/url.hpp"
#include "server/identity.hpp"

namespace studio::server {

// What a request does, and so what it must show before it is answered (guard.hpp).
enum class Access {
  page,   // a file of the web page: nothing is secret in it
  open,   // how to sign in
  read,   // looks at what experiments left behind
  own,    // changes what is nobody else's: the session, the tokens of the one who asks
  work,   // adds what runs make
  write,  // changes experiments
  admin,  // looks at or changes what is everyone's
  board,  // of a program that was started through this server, whose page knows nothing of our tokens
};
// Whether it changes something, and so must not be sent by a page of another site in its visitor's name.
inline bool changes(Access access) {
  return access == Access::own || access == Access::work || access == Access::write || access == Access::admin;
}

// One request on its way through a handler.
struct Call {
  net::HttpExchange& exchange;
  const net::Target& target;
  std::map<std::string, std::string, std::less<>> names;  // what the braces of the pattern stand for here
  const Identity& identity;

  const net::HttpRequest& request() const { return exchange.request(); }
  // Of the pattern; must be there.
  const std::string& name(std::string_view which) const { return names.find(which)->second; }
};

// Answers the exchange, or returns an error in place of an answer.
using Handler = std::function<Result<void>(Call&)>;

struct Route {
  std::string method;   // GET answers HEAD too
  std::string pattern;  // "/api/v1/experiments/{key}"; "{path...}" at the end stands for one component or more
  Access access;
  Handler handler;
};

class Router {
 public:
  void add(Route route) { routes_.push_back(std::move(route)); }
  const std::vector<Route>& routes() const { return routes_; }

  struct Match {
    const Route* route = nullptr;
    std::map<std::string, std::string, std::less<>> names;
  };
  // `not_found` if no route has such a path; `unsupported` if none of those that have it takes the method, with the
  // methods that are taken as its hint: "GET, HEAD". A literal component goes before a name in braces.
  Result<Match> match(std::string_view method, const std::vector<std::string>& path) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace studio::server
