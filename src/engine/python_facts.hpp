// A Python interpreter and what is installed for it.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "model/environment.hpp"

namespace studio::engine {

// Runs the interpreter once in `directory`, at low priority. Nothing if `interpreter` is empty. If it cannot be run,
// gives no answer within a minute, or after a stop, only its name is known. It must be a Python: it is given a Python
// program.
std::optional<model::PythonFacts> python_facts(const std::string& interpreter, const std::string& directory,
                                               std::stop_token stop);

}  // namespace studio::engine
