// What the names in a request's path stand for.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "model/experiment.hpp"
#include "model/version.hpp"
#include "server/backend.hpp"
#include "server/router.hpp"

namespace studio::server {

// Of {key}: the whole key. `not_found`.
Result<model::Experiment> find_experiment(const Backend& backend, const Call& call);
// Of {key}, {tag} and {version}, which is "v3" or "latest". `not_found`.
Result<model::Version> find_version(const Backend& backend, const Call& call);

}  // namespace studio::server
