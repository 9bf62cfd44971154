// The state of the git repository that a script was started in.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "model/environment.hpp"

namespace studio::engine {

// Of the repository whose work tree holds `directory`. Nothing if there is none, if it belongs to another user (git
// refuses those), if there is no git, or after a stop. Changes nothing in the repository, not even the times in its
// index.
std::optional<model::GitFacts> git_facts(const std::string& directory, std::stop_token stop);

}  // namespace studio::engine
