// What a Studio that died left on this machine: its script's processes, and the directories of the attempt.
#pragma once

#include <stop_token>
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

// Ends them; the signal and the grace as for a run that is watched.
void end_processes(const Services& services, const model::Experiment& experiment, const os::EndOptions& options,
                   std::stop_token hurry);

// Captures what the script left in Studio's own directories (output, modeldir, tb) and completes the record with the
// versions there are.
Result<void> recover_artifacts(const Services& services, const model::Experiment& experiment);

}  // namespace studio::engine
