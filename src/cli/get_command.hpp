// studio artifacts get
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace studio::cli {

std::unique_ptr<Command> make_get_command(CLI::App& app);

}  // namespace studio::cli
