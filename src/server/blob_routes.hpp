// The object store for Studios on other machines (blob/remote). It is this server that holds the store's credentials.
#pragma once

#include "server/backend.hpp"
#include "server/router.hpp"

namespace studio::server {

// The backend outlives the router.
void add_blob_routes(Router& router, const Backend& backend);

}  // namespace studio::server
