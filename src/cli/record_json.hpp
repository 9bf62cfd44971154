// Records as the --json output shows them (doc/cli.md).
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "model/experiment.hpp"
#include "model/version.hpp"

namespace studio::cli {

using Json = nlohmann::ordered_json;

Json time_or_null(const std::optional<WallTime>& time);
// "EXP/TAG@v3"
std::string full_name(const model::Version& version);

// RUN of doc/cli.md: the experiment as its last attempt stands. `now` ends the duration of a live one.
Json run_json(const model::Experiment& experiment, WallTime now);
// ATTEMPT
Json attempt_json(const model::Attempt& attempt, WallTime now);
double duration_of(const model::Attempt& attempt, WallTime now);

// One of "versions" in `artifacts log`.
Json version_json(const model::Version& version);

}  // namespace studio::cli
