// How commands declare their arguments to CLI11, and what they have declared, read back: for splitting, help and
// completion. Without CLI11's headers, which would take longer to compile in each command than all of the command.
#pragma once

#include <string>
#include <vector>

#include "cli/arguments.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace studio::cli {

CLI::App* add_subcommand(CLI::App& app, const std::string& name, const std::string& description);
void add_argument(CLI::App& app, const std::string& name, std::string& value);  // which must be given
// One that must be given, and may be followed by others: further_arguments() has those.
void add_arguments(CLI::App& app, const std::string& name, std::string& first);
std::vector<std::string> further_arguments(const CLI::App& app);
void add_optional_argument(CLI::App& app, const std::string& name, std::string& value);
void add_switch(CLI::App& app, const std::string& names, bool& value, const std::string& description);
void add_value(CLI::App& app, const std::string& names, const std::string& value_name, std::string& value,
               const std::string& description);
// A flag that may be given several times, with one value each.
const CLI::Option* add_list(CLI::App& app, const std::string& names, const std::string& value_name,
                            const std::string& description);
std::vector<std::string> given(const CLI::Option& list);
void add_footer(CLI::App& app, const std::string& text);

struct DeclaredFlag {
  Flag flag;
  std::string description;
};

// The flags of one command in the order of their declaration, "-h, --help" last.
std::vector<DeclaredFlag> flags_of(const CLI::App& app);

// Every subcommand that is a command, in order: {"runs list", app}. `name` is that of `app`, empty for the root.
struct NamedCommand {
  std::string name;
  const CLI::App* app;
};
std::vector<NamedCommand> commands_below(const CLI::App& app, const std::string& name);

}  // namespace studio::cli
