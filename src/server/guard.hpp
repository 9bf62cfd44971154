// Who may ask: what keeps other pages, other sites and other people out.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "net/http_server.hpp"
#include "server/account_file.hpp"
#include "server/router.hpp"

namespace studio::server {

// The cookie of a browser's session. Its value is a token.
inline constexpr std::string_view k_session_cookie = "studio_session";

// A browser sends what any page tells it to, and sends it to wherever a name leads. So a request must not come from
// another site's page (cross-site requests), and a change that a cookie vouches for must bring a token that only a page
// of this server has read. Where nobody has to say who asks, a request must also name this server by one of its own
// names (DNS rebinding); elsewhere a page under a stranger's name has no cookie to show.
class Guard {
 public:
  struct Options {
    std::vector<std::string> hosts;    // "127.0.0.1:5000": values of Host that are this server, without accounts
    std::vector<std::string> origins;  // "http://127.0.0.1:5000": those of its pages, beside those of the host asked
    std::string token;                 // of changes, where there are no accounts
    AccountFile* accounts = nullptr;   // null: whoever reaches this server may do everything
  };
  explicit Guard(Options options) : options_(std::move(options)) {}

  // `denied` if the request does not come from where it says.
  Result<void> check_origin(const net::HttpRequest& request, Access access) const;
  // `unauthenticated` if it shows a token that is not valid.
  Result<Identity> identify(const net::HttpRequest& request, WallTime now) const;
  // `denied` or `unauthenticated` if this one may not ask for such a thing.
  static Result<void> check_access(const net::HttpRequest& request, const Identity& identity, Access access);
  // The same for the experiment that it is about. `not_found` if this one may not know of it.
  static Result<void> check_experiment(catalog::Catalog& catalog, const Identity& identity, Access access,
                                       const std::string& key);

  const Options& options() const { return options_; }

 private:
  Options options_;
};

// What a change must bring besides the cookie that holds the session's token.
std::string change_token_of(std::string_view session_token);

// The value of the cookie of that name in the header Cookie (RFC 6265, 5.4); empty if there is none.
std::string_view cookie_in(std::string_view header, std::string_view name);

// Headers that every answer has.
net::Headers safe_headers(Access access);

}  // namespace studio::server
