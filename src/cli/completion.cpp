#include "cli/completion.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "base/concat.hpp"

namespace studio::cli {

namespace {

void add_once(std::vector<std::string>& list, const std::string& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

// "server user add" begins with the groups "server" and "server user".
std::vector<std::string> groups_of(const std::string& name) {
  std::vector<std::string> groups;
  for (std::size_t space = name.find(' '); space != name.npos; space = name.find(' ', space + 1))
    groups.push_back(name.substr(0, space));
  return groups;
}

std::string last_word(const std::string& name) { return name.substr(name.rfind(' ') + 1); }

std::vector<std::string> groups(const std::vector<NamedCommand>& commands) {
  std::vector<std::string> all;
  for (const NamedCommand& command : commands)
    for (const std::string& group : groups_of(command.name)) add_once(all, group);
  return all;
}

// What may follow the group; "" is the program itself.
std::vector<std::string> words_after(const std::string& group, const std::vector<NamedCommand>& commands) {
  const std::string before = group.empty() ? "" : group + " ";
  std::vector<std::string> words;
  for (const NamedCommand& command : commands) {
    if (!command.name.starts_with(before)) continue;
    const std::string rest = command.name.substr(before.size());
    if (!rest.empty()) add_once(words, rest.substr(0, rest.find(' ')));
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += concat(text.empty() ? "" : " ", word);
  return text;
}

std::string flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const DeclaredFlag& declared : flags_of(app))
    names.insert(names.end(), declared.flag.names.begin(), declared.flag.names.end());
  return joined(names);
}

std::string flags_with_values(const CLI::App& app) {
  std::vector<std::string> names;
  for (const DeclaredFlag& declared : flags_of(app))
    if (!declared.flag.value.empty()) names.insert(names.end(), declared.flag.names.begin(), declared.flag.names.end());
  return joined(names);
}

// 'it''s' for the shell: descriptions hold no more than an apostrophe.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// The body of a case statement that sets `words` and `valued` for what has been typed: "", "runs", "runs list".
std::string cases(const std::vector<NamedCommand>& commands) {
  std::string text = concat("    '') words='", joined(words_after("", commands)), " --help --version' ;;\n");
  for (const NamedCommand& command : commands) {
    const std::string inner = joined(words_after(command.name, commands));
    text += concat("    '", command.name, "') words='", inner, inner.empty() ? "" : " ", flag_names(*command.app),
                   "'; valued='", flags_with_values(*command.app), "' ;;\n");
  }
  for (const std::string& group : groups(commands))
    if (std::none_of(commands.begin(), commands.end(), [&](const auto& command) { return command.name == group; }))
      text += concat("    '", group, "') words='", joined(words_after(group, commands)), " --help' ;;\n");
  return text;
}

// As patterns of a case statement.
std::string group_patterns(const std::vector<NamedCommand>& commands) {
  std::string text;
  for (const std::string& group : groups(commands)) text += concat(text.empty() ? "" : "|", "'", group, "'");
  return text;
}

// zsh runs the same function through its emulation of bash's completion.
std::string bash_function(const std::vector<NamedCommand>& commands) {
  return concat(R"(_studio() {
  local current="${COMP_WORDS[COMP_CWORD]}" typed='' words='' valued='' word='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    case "$typed" in
    '') [[ $word == -* ]] || typed="$word" ;;
    )",
                group_patterns(commands), R"() [[ $word == -* ]] || typed="$typed $word" ;;
    esac
  done
  case "$typed" in
)",
                cases(commands), R"(  esac
  if [[ $typed == run ]]; then
    # Behind the script nothing is Studio's.
    for ((i = 2; i < COMP_CWORD; i++)); do
      word="${COMP_WORDS[i]}"
      [[ $word == -- ]] && words='' && break
      if [[ " $valued " == *" $word "* ]]; then i=$((i + 1)); continue; fi
      [[ $word == = || $word == : || ${COMP_WORDS[i - 1]} == = || ${COMP_WORDS[i - 1]} == : ]] && continue
      [[ $word == -* ]] || { words=''; break; }
    done
  elif [[ $typed == completion ]]; then
    words="bash zsh fish $words"
  fi
  if [[ $current == -* || $typed == '' || $words == [a-z]* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
}
)");
}

std::string bash_script(const std::vector<NamedCommand>& commands) {
  return concat("# Completion of studio for bash.\n", bash_function(commands), "complete -F _studio studio\n");
}

std::string zsh_script(const std::vector<NamedCommand>& commands) {
  std::string function = bash_function(commands);
  return concat("#compdef studio\n# Completion of studio for zsh, by its emulation of bash's.\n",
                "autoload -U +X compinit && (( $+functions[compdef] )) || compinit\n",
                "autoload -U +X bashcompinit && bashcompinit\n", function, "complete -F _studio studio\n");
}

// That all words of the name have been typed.
std::string fish_seen(const std::string& name) {
  std::string text;
  for (const std::string& group : groups_of(name + " "))
    text += concat(text.empty() ? "" : "; and ", "__fish_seen_subcommand_from ", last_word(group));
  return text;
}

std::string fish_script(const std::vector<NamedCommand>& commands) {
  std::string text = "# Completion of studio for fish.\n";
  for (const std::string& group : groups(commands))
    if (groups_of(group).empty()) text += concat("complete -c studio -f -n __fish_use_subcommand -a ", group, "\n");
  for (const NamedCommand& command : commands) {
    const std::string description = quoted(command.app->get_description());
    const std::vector<std::string> before = groups_of(command.name);
    if (before.empty()) {
      text += concat("complete -c studio -f -n __fish_use_subcommand -a ", command.name, " -d ", description, "\n");
      continue;
    }
    text += concat("complete -c studio -f -n '", fish_seen(before.back()), "; and not __fish_seen_subcommand_from ",
                   joined(words_after(before.back(), commands)), "' -a ", last_word(command.name), " -d ", description,
                   "\n");
  }
  for (const NamedCommand& command : commands) {
    for (const DeclaredFlag& declared : flags_of(*command.app)) {
      text += concat("complete -c studio -n '", fish_seen(command.name), "'");
      for (const std::string& name : declared.flag.names)
        text += name.starts_with("--") ? concat(" -l ", name.substr(2))
                                       : concat(name.size() == 2 ? " -s " : " -o ", name.substr(1));
      if (!declared.flag.value.empty()) text += " -r";
      text += concat(" -d ", quoted(declared.description), "\n");
    }
  }
  return text + "complete -c studio -f -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n";
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell, const std::vector<NamedCommand>& commands) {
  if (shell == "bash") return bash_script(commands);
  if (shell == "zsh") return zsh_script(commands);
  if (shell == "fish") return fish_script(commands);
  return std::nullopt;
}

}  // namespace studio::cli
