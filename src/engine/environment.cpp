#include "engine/environment.hpp"

#include "engine/git_facts.hpp"
#include "engine/host_facts.hpp"
#include "engine/python_facts.hpp"
#include "os/child.hpp"

namespace studio::engine {

model::Environment gather_environment(const EnvironmentOptions& options, std::stop_token stop) {
  model::Environment environment;
  // First, because the script may already be changing the files that it was started with.
  environment.git = git_facts(options.directory, stop);
  environment.variables = recorded_variables(os::own_environment());
  environment.host = host_facts();
  environment.python = python_facts(options.interpreter, options.directory, stop);
  environment.gpus = gpus(stop);
  return environment;
}

}  // namespace studio::engine
