// The text of --help.
#pragma once

#include <string>

#include "cli/declarations.hpp"

namespace studio::cli {

// Of the program or of a group of commands: the commands below it. `name` is the group's, empty for the program.
std::string help_of_group(const CLI::App& group, const std::string& name);
// Of one command, which is written like `form`.
std::string help_of_command(const CLI::App& app, const std::string& form);

// The text in lines of at most `width` columns, broken at spaces; all but the first begin with `indent` spaces.
std::string wrapped(const std::string& text, std::size_t width, std::size_t indent);

}  // namespace studio::cli
