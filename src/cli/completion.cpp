#include "cli/completion.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "base/concat.hpp"

namespace studio::cli {

namespace {

// "runs list" is the word "list" of the group "runs"; "run" is a word by itself.
struct Words {
  std::string group;
  std::string word;
};

Words words_of(const std::string& name) {
  const std::size_t space = name.find(' ');
  if (space == name.npos) return {"", name};
  return {name.substr(0, space), name.substr(space + 1)};
}

void add_once(std::vector<std::string>& list, const std::string& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

std::vector<std::string> words_after(const std::string& group, const std::vector<NamedCommand>& commands) {
  std::vector<std::string> words;
  for (const NamedCommand& command : commands) {
    const Words parts = words_of(command.name);
    if (group.empty()) {
      add_once(words, parts.group.empty() ? parts.word : parts.group);
    } else if (parts.group == group) {
      add_once(words, parts.word);
    }
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
  for (const std::string& first : words_after("", commands))
    if (const auto inner = words_after(first, commands); !inner.empty())
      text += concat("    '", first, "') words='", joined(inner), " --help' ;;\n");
  for (const NamedCommand& command : commands)
    text += concat("    '", command.name, "') words='", flag_names(*command.app), "'; valued='",
                   flags_with_values(*command.app), "' ;;\n");
  return text;
}

std::string groups(const std::vector<NamedCommand>& commands) {
  std::string text;
  for (const std::string& first : words_after("", commands))
    if (!words_after(first, commands).empty()) text += concat(text.empty() ? "" : "|", first);
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
                groups(commands), R"() [[ $word == -* ]] || typed="$typed $word" ;;
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

std::string fish_script(const std::vector<NamedCommand>& commands) {
  std::string text = "# Completion of studio for fish.\n";
  for (const NamedCommand& command : commands) {
    const Words parts = words_of(command.name);
    if (parts.group.empty()) {
      text += concat("complete -c studio -f -n __fish_use_subcommand -a ", parts.word, " -d ",
                     quoted(command.app->get_description()), "\n");
      continue;
    }
    text += concat("complete -c studio -f -n __fish_use_subcommand -a ", parts.group, "\n");
    text += concat("complete -c studio -f -n '__fish_seen_subcommand_from ", parts.group,
                   "; and not __fish_seen_subcommand_from ", joined(words_after(parts.group, commands)), "' -a ",
                   parts.word, " -d ", quoted(command.app->get_description()), "\n");
  }
  for (const NamedCommand& command : commands) {
    const Words parts = words_of(command.name);
    const std::string seen = parts.group.empty() ? concat("__fish_seen_subcommand_from ", parts.word)
                                                 : concat("__fish_seen_subcommand_from ", parts.group,
                                                          "; and __fish_seen_subcommand_from ", parts.word);
    for (const DeclaredFlag& declared : flags_of(*command.app)) {
      text += concat("complete -c studio -n '", seen, "'");
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
