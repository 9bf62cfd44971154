// Users and their tokens, for administrators; who shares a project, for its admins.
#pragma once

#include "server/backend.hpp"
#include "server/experiment_index.hpp"
#include "server/guard.hpp"
#include "server/router.hpp"

namespace studio::server {

// What is passed outlives the router.
void add_account_routes(Router& router, const Guard& guard, const Backend& backend, ExperimentIndex& index);

}  // namespace studio::server
