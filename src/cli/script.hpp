// What `studio run` is asked to run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/arguments.hpp"

namespace studio::cli {

struct Script {
  std::vector<std::string> argv;  // to be executed: for a *.py file the interpreter comes first
  std::string interpreter;        // absolute path of the Python that will run it; empty if none is known to
};

struct ScriptSources {
  std::string python;     // of the configuration; may be empty
  std::string search;     // PATH
  std::string directory;  // the current one, absolute
};

// `arguments.rest` is the script and what belongs to it. A usage error says what is wrong with the first argument.
Result<Script> resolve_script(const Arguments& arguments, const ScriptSources& sources);

// Why a Python script will not find the package `studio` that Studio provides, if that can be told: its interpreter is
// told to ignore PYTHONPATH (-I, -E), or a file of its own comes first.
std::optional<std::string> why_package_is_hidden(const Script& script, const ScriptSources& sources);

}  // namespace studio::cli
