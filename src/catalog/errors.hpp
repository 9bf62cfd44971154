// The errors that every catalog answers alike.
#pragma once

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/result.hpp"
#include "model/experiment.hpp"
#include "model/version.hpp"

namespace studio::catalog {

inline Error no_experiment(std::string_view key) {
  return {Code::not_found, concat("there is no experiment '", printable(key), "'")};
}

inline Error experiment_exists(std::string_view key) {
  return {Code::already_exists, concat("experiment '", key, "' already exists")};
}

inline Error experiment_changed(std::string_view key, std::uint64_t expected, std::uint64_t found) {
  return {Code::conflict, concat("experiment '", key, "' is at revision ", found, ", not ", expected)};
}

inline Error attempt_goes_back(const model::Experiment& experiment, std::uint64_t stored) {
  return {Code::invalid, concat("experiment '", experiment.key, "' is at attempt ", stored, ": it cannot go back to ",
                                experiment.attempt.number)};
}

inline Error superseded(const model::Version& version, std::uint64_t token, std::uint64_t present) {
  return {Code::conflict, concat("attempt ", token, " of experiment '", version.experiment, "' may not add to '",
                                 version.tag, "': attempt ", present, " has taken over")};
}

inline Error version_exists(const model::Version& version) {
  return {Code::already_exists, concat("version '", version.experiment, "/", version.tag, "@",
                                       model::version_name(version.number), "' already exists")};
}

}  // namespace studio::catalog
