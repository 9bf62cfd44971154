#include "engine/control.hpp"

#include <chrono>

#include "base/concat.hpp"
#include "engine/ledger.hpp"
#include "engine/lost_run.hpp"
#include "engine/recovery.hpp"
#include "os/file_lock.hpp"

namespace studio::engine {

namespace {

constexpr std::chrono::milliseconds k_look_interval{100};

Result<model::Experiment> end_lost_run(const Services& services, const model::Experiment& experiment,
                                       std::chrono::milliseconds grace) {
  TRY_ASSIGN(const auto lock, os::FileLock::try_acquire(services.home.run_lock(experiment.key)));
  if (!lock)
    return Error{Code::unavailable, concat("experiment '", experiment.key, "' is being started anew or repaired"),
                 "try again in a moment"};
  if (living_processes(services, experiment).empty())
    return Error{Code::invalid,
                 concat("experiment '", experiment.key, "' has ended already: it is lost, and its script is gone")};
  const bool ended = end_processes(services, experiment, {.grace = grace});
  TRY(recover_artifacts(services, experiment));
  return change_experiment(services, experiment.key, [&](model::Experiment& record) -> Result<void> {
    if (ended && record.token() == experiment.token()) record.last().reason += "; it was ended by the user";
    return {};
  });
}

}  // namespace

Result<model::Experiment> end_run(const Services& services, const std::string& key, model::StopRequest request,
                                  std::chrono::milliseconds grace, std::stop_token stop) {
  TRY(repair(services));
  TRY_ASSIGN(model::Experiment experiment, services.catalog.load(key));
  const std::uint64_t attempt = experiment.last().number;
  if (experiment.state() == model::State::lost)
    return end_lost_run(services, experiment,
                        request == model::StopRequest::kill ? std::chrono::milliseconds(0) : grace);
  if (!model::is_live(experiment.state()))
    return Error{Code::invalid,
                 concat("experiment '", key, "' has ended already: it is ", model::name_of(experiment.state()))};

  TRY_ASSIGN(experiment, catalog::redo_update(services.catalog, key, [&](model::Experiment& record) -> Result<void> {
               // A kill is never softened by a stop that comes later.
               if (record.last().number == attempt && record.stop_request != model::StopRequest::kill)
                 record.stop_request = request;
               return {};
             }));
  while (experiment.last().number == attempt && model::is_live(experiment.state())) {
    if (stop.stop_requested())
      return Error{Code::cancelled, concat("'", key, "' has been asked to end, but has not ended yet")};
    services.clock.sleep_until(services.clock.now() + k_look_interval);
    TRY(repair(services));
    TRY_ASSIGN(experiment, services.catalog.load(key));
  }
  return experiment;
}

}  // namespace studio::engine
