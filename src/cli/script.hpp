// Which program `studio run` is to start.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/arguments.hpp"

namespace studio::cli {

struct ScriptRequest {
  std::vector<std::string> command;  // as typed: the script and its arguments
  bool as_it_stands = false;         // it followed `--`
  std::string directory;             // absolute
  std::string search;                // PATH
  std::string python;                // of the configuration; may be empty
};

struct Script {
  std::vector<std::string> argv;      // as executed
  std::string interpreter;            // absolute path of the Python that the run uses or would use; empty: there is none
  std::vector<std::string> warnings;  // of a script that will not find the `studio` package
};

// Every error is a usage error.
Result<Script> resolve_script(const ScriptRequest& request);

}  // namespace studio::cli
