// Experiments and attempts in words.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "cli/table.hpp"
#include "model/experiment.hpp"

namespace studio::cli {

Colour colour_of(model::State state);

// "0", "SIGKILL", or "" where neither applies.
std::string exit_text(const model::Attempt& attempt);
// How long it took, or has taken until `now`; "" if that is not known.
std::string duration_text(const model::Attempt& attempt, WallTime now);

// The words in one line that a shell would take back, where they are printable at all.
std::string command_text(const std::vector<std::string>& command);

}  // namespace studio::cli
