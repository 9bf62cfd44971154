// Deleting experiments, which is a mark in their record and can be undone (doc/design.md).
#pragma once

#include <string>

#include "base/result.hpp"
#include "engine/services.hpp"
#include "model/experiment.hpp"

namespace studio::engine {

// `conflict`, with a hint, if something of the experiment still runs.
Result<void> check_deletable(const Services& services, const model::Experiment& experiment);
// Marks the experiment with this whole key; one that is marked keeps the time of its mark. `not_found`; `conflict` as
// check_deletable(). Returns the record as stored.
Result<model::Experiment> delete_experiment(const Services& services, const std::string& key);
// Takes the mark away, if there is one. `not_found`.
Result<model::Experiment> restore_experiment(const Services& services, const std::string& key);

// `invalid` if the experiment is deleted, with a hint how to restore it.
Result<void> check_not_deleted(const model::Experiment& experiment);

}  // namespace studio::engine
