// What commands have declared to CLI11, read back: for splitting, help and completion. Includes all of CLI11.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/arguments.hpp"

namespace studio::cli {

struct DeclaredFlag {
  Flag flag;
  std::string description;
};

// The flags of one command in the order of their declaration, "-h, --help" last.
std::vector<DeclaredFlag> flags_of(const CLI::App& app);

// Every subcommand that has none itself, in order: {"runs list", app}. `name` is that of `app`, empty for the root.
struct NamedCommand {
  std::string name;
  const CLI::App* app;
};
std::vector<NamedCommand> commands_below(const CLI::App& app, const std::string& name);

// A flag that may be given several times, with one value each. What was given is in the option's results(): `values`
// only tells CLI11 the type, and lacks a value such as "{}", which CLI11 takes for an empty list.
CLI::Option* add_list(CLI::App& app, const std::string& names, std::vector<std::string>& values,
                      const std::string& description);

}  // namespace studio::cli
