#include "cli/declarations.hpp"

#include <array>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/concat.hpp"

namespace studio::cli {

namespace {

// Short forms of two letters, which cannot be declared to CLI11.
constexpr std::array<std::pair<std::string_view, std::string_view>, 1> k_two_letters{{{"capture-once", "-co"}}};

}  // namespace

CLI::App* add_subcommand(CLI::App& app, const std::string& name, const std::string& description) {
  return app.add_subcommand(name, description);
}

void add_argument(CLI::App& app, const std::string& name, std::string& value) {
  app.add_option(name, value)->required();
}

// A list of CLI11's would take "[a,b]" for two.
void add_arguments(CLI::App& app, const std::string& name, std::string& first) {
  add_argument(app, name, first);
  app.allow_extras();
}

std::vector<std::string> further_arguments(const CLI::App& app) {
  auto further = app.remaining();
  // All arguments were handed over behind one.
  if (!further.empty() && further.front() == "--") further.erase(further.begin());
  return further;
}

void add_optional_argument(CLI::App& app, const std::string& name, std::string& value) { app.add_option(name, value); }

void add_switch(CLI::App& app, const std::string& names, bool& value, const std::string& description) {
  app.add_flag(names, value, description);
}

void add_value(CLI::App& app, const std::string& names, const std::string& value_name, std::string& value,
               const std::string& description) {
  app.add_option(names, value, description)->type_name(value_name);
}

const CLI::Option* add_list(CLI::App& app, const std::string& names, const std::string& value_name,
                            const std::string& description) {
  // The values as CLI11 hands them on lack one such as "{}", which it takes for an empty list: given() has them all.
  const auto ignore = [](const std::vector<std::string>&) {};
  return app.add_option_function<std::vector<std::string>>(names, ignore, description)
      ->type_name(value_name)
      // Otherwise each would take all that follows, and read "[a,b]" as two.
      ->allow_extra_args(false);
}

std::vector<std::string> given(const CLI::Option& list) { return list.results(); }

void add_footer(CLI::App& app, const std::string& text) { app.footer(text); }

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
  std::vector<NamedCommand> commands;
  // A group with flags is a command by itself, too.
  constexpr std::size_t k_help = 1;
  if (subcommands.empty() || (!name.empty() && flags_of(app).size() > k_help)) commands.push_back({name, &app});
  for (const CLI::App* subcommand : subcommands) {
    const auto below = commands_below(*subcommand, concat(name, name.empty() ? "" : " ", subcommand->get_name()));
    commands.insert(commands.end(), below.begin(), below.end());
  }
  return commands;
}

}  // namespace studio::cli
