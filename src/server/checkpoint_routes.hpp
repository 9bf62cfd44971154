// The checkpoints that an attempt left behind, and what is in one.
#pragma once

#include "server/backend.hpp"
#include "server/router.hpp"

namespace studio::server {

// The backend outlives the router.
void add_checkpoint_routes(Router& router, const Backend& backend);

}  // namespace studio::server
