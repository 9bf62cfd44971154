// Signing in and out, and the tokens of the one who asks.
#pragma once

#include "base/clock.hpp"
#include "server/account_file.hpp"
#include "server/guard.hpp"
#include "server/router.hpp"

namespace studio::server {

// What is passed outlives the router. `is_tls`: whether the server encrypts.
void add_session_routes(Router& router, const Guard& guard, const Clock& clock, bool is_tls);

}  // namespace studio::server
