#include "cli/declarations.hpp"

#include <array>
#include <utility>

#include "base/concat.hpp"

namespace studio::cli {

namespace {

// Short forms of two letters, which cannot be declared to CLI11.
constexpr std::array<std::pair<std::string_view, std::string_view>, 1> k_two_letters{{{"capture-once", "-co"}}};

}  // namespace

std::vector<DeclaredFlag> flags_of(const CLI::App& app) {
  std::vector<DeclaredFlag> flags;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() || option == app.get_help_ptr()) continue;
    DeclaredFlag declared{.flag = {}, .description = option->get_description()};
    for (const std::string& letter : option->get_snames()) declared.flag.names.push_back("-" + letter);
    for (const std::string& word : option->get_lnames()) {
      for (const auto& [long_form, short_form] : k_two_letters)
        if (word == long_form) declared.flag.names.emplace_back(short_form);
      declared.flag.names.push_back("--" + word);
    }
    if (option->get_items_expected_max() > 0) declared.flag.value = option->get_type_name();
    declared.flag.repeatable = option->get_expected_max() > 1;
    flags.push_back(std::move(declared));
  }
  flags.push_back({{{"-h", "--help"}, "", false}, "show this help"});
  return flags;
}

std::vector<NamedCommand> commands_below(const CLI::App& app, const std::string& name) {
  const auto subcommands = app.get_subcommands([](const CLI::App*) { return true; });
  if (subcommands.empty()) return {{name, &app}};
  std::vector<NamedCommand> commands;
  for (const CLI::App* subcommand : subcommands) {
    const auto below = commands_below(*subcommand, concat(name, name.empty() ? "" : " ", subcommand->get_name()));
    commands.insert(commands.end(), below.begin(), below.end());
  }
  return commands;
}

CLI::Option* add_list(CLI::App& app, const std::string& names, std::vector<std::string>& values,
                      const std::string& description) {
  // Otherwise each would take all that follows, and read "[a,b]" as two.
  return app.add_option(names, values, description)->allow_extra_args(false);
}

}  // namespace studio::cli
