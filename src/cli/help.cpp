#include "cli/help.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/concat.hpp"
#include "cli/format.hpp"

namespace studio::cli {

namespace {

// The same on every terminal: a text that fits everywhere needs no more.
constexpr std::size_t k_width = 100;
constexpr std::size_t k_indent = 2;
constexpr std::size_t k_gap = 2;

// "NAME  what it is", the second column aligned.
std::string two_columns(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::size_t first = 0;
  for (const auto& [name, description] : rows) first = std::max(first, display_width(name));
  const std::size_t second = k_indent + first + k_gap;
  std::string text;
  for (const auto& [name, description] : rows) {
    std::string line = concat(std::string(k_indent, ' '), name);
    line.append(second - display_width(line), ' ');
    text += concat(line, wrapped(description, k_width - second, second), "\n");
  }
  return text;
}

// Flags without a short form are indented as far as those with one.
std::string names_of(const Flag& flag) {
  std::string text = flag.names.front().starts_with("--") ? "    " : "";
  for (const std::string& name : flag.names) text += concat(text.empty() || text == "    " ? "" : ", ", name);
  return flag.value.empty() ? text : concat(text, " ", flag.value);
}

std::string commands_section(const CLI::App& group, const std::string& name) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const NamedCommand& command : commands_below(group, name))
    if (command.app != &group) rows.emplace_back(command.name, command.app->get_description());
  return concat("Commands:\n", two_columns(rows));
}

std::string flags_section(const std::vector<DeclaredFlag>& flags) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const DeclaredFlag& declared : flags) rows.emplace_back(names_of(declared.flag), declared.description);
  return concat("Flags:\n", two_columns(rows));
}

}  // namespace

std::string help_of_group(const CLI::App& group, const std::string& name) {
  std::string text = concat("Usage: studio ", name, name.empty() ? "" : " ", "COMMAND …\n\n",
                            wrapped(group.get_description(), k_width, 0), "\n\n", commands_section(group, name), "\n",
                            flags_section(flags_of(group)));
  text += concat("\n'studio ", name, name.empty() ? "" : " ", "COMMAND --help' tells more of a command.\n");
  return text;
}

std::string help_of_command(const CLI::App& app, const std::string& form) {
  std::string text = concat("Usage: ", form, "\n\n", wrapped(app.get_description(), k_width, 0), "\n\n");
  std::istringstream paragraphs(app.get_footer());
  for (std::string line; std::getline(paragraphs, line);) text += wrapped(line, k_width, 0) + "\n";
  if (!app.get_footer().empty()) text += "\n";
  text += flags_section(flags_of(app));
  const bool is_group = !app.get_subcommands([](const CLI::App*) { return true; }).empty();
  return is_group ? concat(text, "\n", commands_section(app, app.get_name())) : text;
}

std::string wrapped(const std::string& text, std::size_t width, std::size_t indent) {
  std::string lines;
  std::size_t used = 0;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::size_t length = display_width(word);
    if (used > 0 && used + 1 + length > width) {
      lines += concat("\n", std::string(indent, ' '));
      used = 0;
    }
    lines += concat(used > 0 ? " " : "", word);
    used += length + (used > 0 ? 1 : 0);
  }
  return lines;
}

}  // namespace studio::cli
