// What scripts write to standard output and standard error, while they run and afterwards.
#pragma once

#include "server/backend.hpp"
#include "server/live_output.hpp"
#include "server/router.hpp"

namespace studio::server {

// The backend and the live output outlive the router.
void add_output_routes(Router& router, const Backend& backend, LiveOutput& live);

}  // namespace studio::server
