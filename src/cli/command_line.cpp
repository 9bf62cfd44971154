#include "cli/command_line.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"
#include "base/studio_version.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "cli/help.hpp"

namespace studio::cli {

namespace {

std::vector<std::string> names_of_subcommands(const CLI::App& group) {
  std::vector<std::string> names;
  for (const CLI::App* app : group.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(app->get_name());
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += concat(text.empty() ? "" : ", ", name);
  return text;
}

// "studio" or "studio runs"
std::string program_of(const CLI::App& group) {
  const CLI::App* const parent = group.get_parent();
  return parent == nullptr ? group.get_name() : concat(program_of(*parent), " ", group.get_name());
}

Error unknown_command(const CLI::App& group, std::string_view name) {
  const auto names = names_of_subcommands(group);
  const std::string message = concat("unknown command '", printable(name), "'");
  if (const std::string_view nearest = nearest_name(name, names); !nearest.empty())
    return usage_error(message, concat("did you mean ", program_of(group), " ", nearest, "?"));
  return usage_error(message, concat(program_of(group), " COMMAND, one of ", joined(names)));
}

Error unknown_group_flag(const CLI::App& group, std::string_view name) {
  std::vector<std::string> names;
  for (const DeclaredFlag& declared : flags_of(group)) names.push_back(declared.flag.names.back());
  const std::string_view nearest = nearest_name(name, names);
  return usage_error(concat("unknown flag ", printable(name)),
                     nearest.empty() ? concat(program_of(group), " COMMAND [FLAGS]: flags of a command follow it")
                                     : concat("did you mean ", nearest, "?"));
}

// What CLI11 finds wrong once the flags are known to be good: too few or too many arguments.
Error error_of(const CLI::App& app, const std::string& form, const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    auto extras = app.remaining();
    extras.erase(std::remove(extras.begin(), extras.end(), "--"), extras.end());
    return usage_error(concat("unexpected argument '", printable(extras.empty() ? "" : extras.front()), "'"), form);
  }
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    for (const CLI::Option* option : app.get_options())
      if (option->get_required() && option->count() == 0)
        return usage_error(concat(option->get_name(), " is missing"), form);
  }
  return usage_error(error.what(), form);
}

}  // namespace

CommandLine::CommandLine()
    : root_(std::make_unique<CLI::App>(
          "Runs machine-learning experiments unmodified, and keeps what they needed and what they "
          "made: versioned, deduplicated, on this machine.",
          "studio")) {
  root_->add_flag("--version")->description("show the version");
  add_run_command(*root_, commands_);
  add_runs_commands(*root_, commands_);
  add_artifacts_commands(*root_, commands_);
  add_store_commands(*root_, commands_);
  add_ui_command(*root_, commands_);
  add_server_commands(*root_, commands_);
  add_login_commands(*root_, commands_);
  add_config_command(*root_, commands_);
  add_path_command(*root_, commands_);
  add_completion_command(*root_, commands_);
}

CommandLine::~CommandLine() = default;

Result<Request> CommandLine::parse(std::span<const std::string> arguments) { return parse_group(*root_, arguments); }

Result<Request> CommandLine::parse_group(CLI::App& group, std::span<const std::string> arguments) {
  const std::string program = program_of(group);
  const std::string name = &group == root_.get() ? "" : program.substr(program.find(' ') + 1);
  if (arguments.empty())
    return usage_error("a command is missing",
                       concat(program_of(group), " COMMAND, one of ", joined(names_of_subcommands(group))));
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h") return Request{.text = help_of_group(group, name)};
  if (first == "--version" && name.empty()) return Request{.text = concat("studio ", k_studio_version, "\n")};
  if (first.starts_with('-')) return unknown_group_flag(group, first);
  for (CLI::App* app : group.get_subcommands([](CLI::App*) { return true; })) {
    if (app->get_name() != first) continue;
    const auto rest = arguments.subspan(1);
    Command* command = commands_.find(app);
    // A command may be a group, too.
    const auto names = names_of_subcommands(*app);
    const bool is_group =
        command == nullptr || (!rest.empty() && std::ranges::find(names, rest.front()) != names.end());
    return is_group ? parse_group(*app, rest) : parse_command(*app, *command, rest);
  }
  return unknown_command(group, first);
}

Result<Request> CommandLine::parse_command(CLI::App& app, Command& command, std::span<const std::string> arguments) {
  std::vector<Flag> flags;
  for (DeclaredFlag& declared : flags_of(app)) flags.push_back(std::move(declared.flag));
  TRY_ASSIGN(Arguments split, split_arguments(arguments, flags, command.flags_stand(), command.form()));
  if (split.wants_help) return Request{.text = help_of_command(app, command.form())};
  std::vector<std::string> for_cli11 = split.flags;
  if (command.flags_stand() == FlagsStand::before_script) {
    command.take_script(split);
  } else {
    for_cli11.emplace_back("--");
    for_cli11.insert(for_cli11.end(), split.rest.begin(), split.rest.end());
  }
  std::reverse(for_cli11.begin(), for_cli11.end());  // as CLI11 wants it
  try {
    app.parse(std::move(for_cli11));
  } catch (const CLI::ParseError& error) {
    return error_of(app, command.form(), error);
  }
  return Request{.command = &command};
}

}  // namespace studio::cli
