// What an attempt wrote for TensorBoard: its scalars here, the rest in summary_routes.hpp.
#pragma once

#include "server/backend.hpp"
#include "server/router.hpp"

namespace studio::server {

// The backend outlives the router.
void add_chart_routes(Router& router, const Backend& backend);

}  // namespace studio::server
