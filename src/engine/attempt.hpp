// The local side of one attempt: its artifacts resolved, its directories made, its environment composed.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engine/run.hpp"
#include "engine/services.hpp"
#include "model/experiment.hpp"
#include "model/version.hpp"

namespace studio::engine {

inline constexpr std::array<std::string_view, 4> k_default_tags{"workspace", "output", "modeldir", "tb"};

// "STUDIO_ARTIFACT_WEIGHTS"
std::string variable_of(std::string_view tag);

// An artifact that comes from another experiment, pinned.
struct Pinned {
  std::string tag;  // in this run
  model::Version version;
};

// `invalid` or `not_found`, naming the flag, if a reused artifact cannot be had.
Result<std::vector<Pinned>> resolve_reuses(const Services& services, const RunSpec& spec);

// Of capture-once sources, whether they are there; `not_found` naming the flag.
Result<void> check_sources(const RunSpec& spec);

// `invalid` if something to be captured is Studio's own as a whole.
Result<void> check_not_own(const Home& home, const RunSpec& spec);

// All artifacts of the attempt: the defaults that are not replaced, then the user's, then the reused ones.
std::vector<model::Artifact> list_artifacts(const Home& home, const RunSpec& spec, const std::vector<Pinned>& reuses,
                                            const std::string& attempt_directory);

// The attempt's directory with an empty `output` file, `modeldir` and `tb`, and the links that lead to them from the
// experiment's directory.
Result<void> make_attempt_directory(const Home& home, const std::string& key, std::uint64_t attempt);
inline constexpr const char* k_output_file = "/output";
inline constexpr const char* k_resources_file = "/resources.json";
// How the attempt ended, where that could not be recorded: for the next command.
inline constexpr const char* k_end_file = "/end.json";

// Missing directories of continuously captured artifacts, with a notice for each that the user named.
Result<void> make_missing_directories(const Services& services, const std::vector<model::Artifact>& artifacts);

// Writes the artifact map and returns the script's environment.
Result<std::vector<std::string>> compose_environment(const Home& home, const model::Experiment& experiment);

// Removes the directories of attempts before the last one whose artifacts are all in the store (mark_captured), unless
// something was written there since.
void remove_captured_attempts(const Services& services, const model::Experiment& experiment);
void mark_captured(const Services& services, const model::Experiment& experiment);

}  // namespace studio::engine
