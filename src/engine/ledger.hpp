// Writes records: to the catalog, which decides, and to the store, which alone can rebuild the catalog.
#pragma once

#include <string>

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "engine/services.hpp"
#include "model/experiment.hpp"
#include "model/version.hpp"

namespace studio::engine {

// "experiments/KEY/experiment.json"
std::string record_key(std::string_view experiment);

// "experiments/KEY/attempts/N/attempt.json"
std::string attempt_key(std::string_view experiment, std::uint64_t attempt);

// Copies the record, and those of earlier attempts that are not there yet, into the store. A failure is reported, not
// returned: the next change of state writes it again.
void mirror(const Services& services, const model::Experiment& experiment);

// catalog::redo_update, then mirror.
Result<model::Experiment> change_experiment(const Services& services, std::string_view key,
                                            const catalog::Change& change);

// Publishes the version under the number after the latest (`version.number` is set here), then commits it. `conflict`
// if `version.attempt` is not the experiment's last attempt any more; nothing is left behind then.
Result<void> commit_version(const Services& services, model::Version& version);

// Adds to the catalog what was published but, because its writer died in between, not committed.
Result<void> adopt_published_versions(const Services& services, std::string_view experiment);

}  // namespace studio::engine
