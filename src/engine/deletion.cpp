#include "engine/deletion.hpp"

#include "base/concat.hpp"
#include "engine/ledger.hpp"
#include "engine/lost_run.hpp"

namespace studio::engine {

Result<void> check_deletable(const Services& services, const model::Experiment& experiment) {
  const std::string what = what_runs(services, experiment);
  if (what.empty()) return {};
  return Error{Code::conflict, concat("experiment '", experiment.key, "' ", what),
               concat("end it first, with 'studio runs stop ", experiment.key, "'")};
}

Result<model::Experiment> delete_experiment(const Services& services, const std::string& key) {
  return change_experiment(services, key, [&](model::Experiment& experiment) -> Result<void> {
    TRY(check_deletable(services, experiment));
    if (!experiment.deleted) experiment.deleted = services.clock.now();
    return {};
  });
}

Result<model::Experiment> restore_experiment(const Services& services, const std::string& key) {
  return change_experiment(services, key, [](model::Experiment& experiment) -> Result<void> {
    experiment.deleted.reset();
    return {};
  });
}

Result<void> check_not_deleted(const model::Experiment& experiment) {
  if (!experiment.deleted) return {};
  return Error{Code::invalid, concat("experiment '", experiment.key, "' is deleted"),
               concat("restore it with 'studio runs restore ", experiment.key, "'")};
}

}  // namespace studio::engine
