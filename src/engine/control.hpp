// Commands to a run from another process.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "engine/services.hpp"
#include "model/experiment.hpp"

namespace studio::engine {

// Asks the run to end (its own Studio gives it the time that it was started with) and waits until its record says that
// it has, or `stop` is requested (`cancelled`). Of a lost run, ends the script if it still lives, `grace` after asking
// it to. `invalid` if the run had ended before.
Result<model::Experiment> end_run(const Services& services, const std::string& key, model::StopRequest request,
                                  std::chrono::milliseconds grace, std::stop_token stop = {});

}  // namespace studio::engine
