// The scalars that an attempt wrote for TensorBoard.
#pragma once

#include "server/backend.hpp"
#include "server/router.hpp"

namespace studio::server {

// The backend outlives the router.
void add_chart_routes(Router& router, const Backend& backend);

}  // namespace studio::server
