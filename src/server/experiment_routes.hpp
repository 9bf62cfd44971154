// Experiments, attempts, artifacts and versions as documents.
#pragma once

#include "server/backend.hpp"
#include "server/router.hpp"

namespace studio::server {

// The backend outlives the router.
void add_experiment_routes(Router& router, const Backend& backend);

}  // namespace studio::server
