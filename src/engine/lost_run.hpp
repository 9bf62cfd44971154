// What a Studio that died left on this machine: its script's processes, and the directories of the attempt.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/services.hpp"
#include "model/experiment.hpp"
#include "os/process_tree.hpp"

namespace studio::engine {

std::string this_host();

// The processes of the last attempt that still live here.
std::vector<os::Process> living_processes(const Services& services, const model::Experiment& experiment);

// What of the experiment still runs, as the rest of a sentence about it: "runs on HOST"; empty if nothing does.
std::string what_runs(const Services& services, const model::Experiment& experiment);

// Ends them; the signal and the grace as for a run that is watched. False, told of, if some could not be ended.
bool end_processes(const Services& services, const model::Experiment& experiment, const os::EndOptions& options);

// A lost run whose script went on, and whose directories are yet to be captured: a marker in its last attempt's
// directory.
Result<void> mark_orphaned(const Services& services, const model::Experiment& experiment);
bool is_orphaned(const Services& services, const model::Experiment& experiment);

// Captures what the script left in Studio's own directories (output, modeldir, tb) and completes the record with the
// versions there are. The run is orphaned no longer.
Result<void> recover_artifacts(const Services& services, const model::Experiment& experiment);

}  // namespace studio::engine
