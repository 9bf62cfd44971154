// Who may ask: what keeps other pages, other sites and other machines out.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "net/http_server.hpp"
#include "server/router.hpp"

namespace studio::server {

// A browser sends what any page tells it to, and sends it to wherever a name leads: so a request must name this server
// by one of its own names (DNS rebinding), must not come from another site's page (cross-site requests), and a change
// must bring a token that only a page of this server has read.
struct GuardOptions {
  std::vector<std::string> hosts;  // "127.0.0.1:5000": values of Host that are this server
  std::string token;               // what the header X-Studio-Token of a change must be
};

// `denied` if the request may not have what the route gives.
Result<void> check_request(const net::HttpRequest& request, Access access, const GuardOptions& options);

// Headers that every answer has.
net::Headers safe_headers(Access access);

// The names of a server that listens on the address: those by which a browser on this machine reaches it.
std::vector<std::string> loopback_hosts(std::uint16_t port);

// 32 random bytes in hexadecimal.
Result<std::string> make_token();

}  // namespace studio::server
