// Finding out what a script runs in, while it runs.
#pragma once

#include <stop_token>
#include <string>

#include "engine/variables.hpp"  // what of it may be recorded
#include "model/environment.hpp"

namespace studio::engine {

struct EnvironmentOptions {
  std::string directory;    // where the script was started
  std::string interpreter;  // the Python that runs it, as one would type it in `directory`; "": it is no Python script
};

// Never fails: what cannot be had, or not before a stop is requested, is left out. Runs git, the interpreter and
// nvidia-smi as helpers, so it may take a minute or two: for a background thread. This process's environment must not
// change meanwhile.
model::Environment gather_environment(const EnvironmentOptions& options, std::stop_token stop);

}  // namespace studio::engine
