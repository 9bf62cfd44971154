// The proxy that the environment names, as curl and most others read it.
#pragma once

#include <optional>

#include "base/result.hpp"
#include "net/url.hpp"

namespace studio::net {

// For "https" what https_proxy or HTTPS_PROXY says, for "http" http_proxy ("http://host:port", or "host:port"). Nothing
// for this machine, and for what no_proxy or NO_PROXY lists: names, which stand for all below them too, addresses, or
// "*". `invalid`, naming the variable, if it is no such URL: a proxy that is itself asked under TLS or wants a password
// cannot be used.
Result<std::optional<Url>> proxy_for(const Url& server);

}  // namespace studio::net
