// Experiments and attempts with the fields of doc/cli.md: what `--json` prints and the server answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.hpp"
#include "blob/store.hpp"
#include "model/environment.hpp"
#include "model/experiment.hpp"
#include "model/resources.hpp"

namespace studio::view {

// RUN, of the last attempt.
nlohmann::ordered_json run_json(const model::Experiment& experiment);
// The document of `runs show`: RUN, all its attempts and the environment, if there is one.
nlohmann::ordered_json run_document(const model::Experiment& experiment, const std::vector<model::Attempt>& attempts,
                                    const std::optional<model::Environment>& environment);
// `not_found` names the attempts that there are.
Result<void> check_attempt(const std::string& experiment, const std::vector<model::Attempt>& attempts,
                           std::uint64_t number);

// What an attempt ran in; nothing if that was not recorded. `corrupt` names the object.
Result<std::optional<model::Environment>> load_environment(blob::Store& objects, std::string_view experiment,
                                                           std::uint64_t attempt);
// What it used over time; the same.
Result<std::optional<model::ResourceSamples>> load_resources(blob::Store& objects, std::string_view experiment,
                                                             std::uint64_t attempt);

}  // namespace studio::view
