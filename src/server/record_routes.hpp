// The catalog for Studios on other machines (catalog/remote): records as they are kept.
#pragma once

#include "server/backend.hpp"
#include "server/router.hpp"

namespace studio::server {

// The backend outlives the router.
void add_record_routes(Router& router, const Backend& backend);

}  // namespace studio::server
