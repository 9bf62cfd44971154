// Experiments and attempts as the fields and words of doc/cli.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "cli/table.hpp"
#include "model/experiment.hpp"

namespace studio::cli {

// RUN, of the last attempt.
nlohmann::ordered_json run_json(const model::Experiment& experiment);
// ATTEMPT
nlohmann::ordered_json attempt_json(const model::Attempt& attempt);

// "v3"; JSON null for nothing.
nlohmann::ordered_json version_json(const std::optional<std::uint64_t>& number);
// "EXP/TAG@v3"; JSON null for nothing.
nlohmann::ordered_json source_json(const std::optional<model::ArtifactSource>& source);

Colour colour_of(model::State state);

// "0", "SIGKILL", or "" where neither applies.
std::string exit_text(const model::Attempt& attempt);
// How long it took, or has taken until `now`; "" if that is not known.
std::string duration_text(const model::Attempt& attempt, WallTime now);

// The words in one line that a shell would take back, where they are printable at all.
std::string command_text(const std::vector<std::string>& command);

}  // namespace studio::cli
