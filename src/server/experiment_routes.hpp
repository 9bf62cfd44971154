// Experiments, attempts, who reuses them, artifacts and versions as documents.
#pragma once

#include "server/backend.hpp"
#include "server/experiment_index.hpp"
#include "server/live_streams.hpp"
#include "server/router.hpp"

namespace studio::server {

// What is handed in outlives the router. `streams` refreshes the index before each of its rounds.
void add_experiment_routes(Router& router, const Backend& backend, ExperimentIndex& index, LiveStreams& streams);

}  // namespace studio::server
