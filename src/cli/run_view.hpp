// Experiments as people read them.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/output.hpp"
#include "model/environment.hpp"
#include "model/experiment.hpp"

namespace studio::cli {

// A table, one line each; nothing for none.
Result<void> write_runs(Output& output, const std::vector<model::Experiment>& experiments, WallTime now);

// All of one; the environment is that of attempt `number`.
Result<void> write_run(Output& output, const model::Experiment& experiment, const std::vector<model::Attempt>& attempts,
                       std::uint64_t number, const std::optional<model::Environment>& environment, WallTime now);

}  // namespace studio::cli
