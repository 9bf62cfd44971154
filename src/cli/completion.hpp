// Completion scripts, made from what the commands declare.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/declarations.hpp"

namespace studio::cli {

// For "bash", "zsh" or "fish"; nothing for another shell. Commands and flags are completed, everything else as file
// names.
std::optional<std::string> completion_script(std::string_view shell, const std::vector<NamedCommand>& commands);

}  // namespace studio::cli
