// What lies in a version: its tree, its files, and all of it as an archive.
#pragma once

#include "server/backend.hpp"
#include "server/experiment_index.hpp"
#include "server/router.hpp"

namespace studio::server {

// What is passed outlives the router.
void add_content_routes(Router& router, const Backend& backend, ExperimentIndex& index);

}  // namespace studio::server
