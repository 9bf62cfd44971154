// studio completion
#include "cli/command.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::cli {

namespace {

// Word by word, "studio runs" -> "list show stop kill", "studio runs list" -> "--project …": one table for all shells.
struct Completion {
  std::string words;    // typed so far, without "studio"
  std::string answers;  // separated by spaces
};

void collect(const CLI::App& app, const std::string& words, std::vector<Completion>& table) {
  std::string answers;
  for (const CLI::App* subcommand : app.get_subcommands([](const CLI::App*) { return true; }))
    answers += concat(answers.empty() ? "" : " ", subcommand->get_name());
  for (const DeclaredFlag& flag : flags_of(app)) answers += concat(answers.empty() ? "" : " ", flag.flag.names.back());
  table.push_back({words, answers});
  for (const CLI::App* subcommand : app.get_subcommands([](const CLI::App*) { return true; }))
    collect(*subcommand, concat(words, words.empty() ? "" : " ", subcommand->get_name()), table);
}

std::string bash_script(const std::vector<Completion>& table) {
  std::string cases;
  for (const Completion& entry : table)
    if (!entry.words.empty()) cases += concat("    '", entry.words, "') answers='", entry.answers, "' ;;\n");
  return concat(
      "# studio completion bash > /etc/bash_completion.d/studio, or: source <(studio completion bash)\n"
      "_studio() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} answers\n"
      "  case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n"
      "    'runs '*|'artifacts '*|'store '*|'config '*)\n"
      "      if [ \"$COMP_CWORD\" -gt 2 ]; then set -- \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\"; else set -- \"${COMP_WORDS[1]}\"; fi ;;\n"
      "    *) if [ \"$COMP_CWORD\" -gt 1 ]; then set -- \"${COMP_WORDS[1]}\"; else set -- ''; fi ;;\n"
      "  esac\n"
      "  case $1 in\n",
      cases, "    *) answers='", table.front().answers, "' ;;\n  esac\n",
      "  [[ $1 = run && $word != -* ]] && answers=\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$answers\" -- \"$word\")\n"
      "}\n"
      "complete -o default -o bashdefault -F _studio studio\n");
}

std::string zsh_script(const std::vector<Completion>& table) {
  return concat("#compdef studio\n# studio completion zsh > a directory of $fpath, as _studio; or: source <(studio completion zsh)\n",
                "autoload -U +X bashcompinit && bashcompinit\n", bash_script(table));
}

std::string fish_script(const std::vector<Completion>& table) {
  std::string text = "# studio completion fish > ~/.config/fish/completions/studio.fish\n";
  for (const Completion& entry : table) {
    std::string condition = entry.words.empty() ? "__fish_use_subcommand" : "true";
    std::string_view rest = entry.words;
    while (!rest.empty()) {
      const std::size_t space = rest.find(' ');
      condition += concat("; and __fish_seen_subcommand_from ", rest.substr(0, space));
      rest = space == rest.npos ? std::string_view() : rest.substr(space + 1);
    }
    text += concat("complete -c studio -n '", condition, "' -a '", entry.answers, "'\n");
  }
  return text;
}

class CompletionCommand final : public Command {
 public:
  CompletionCommand(CLI::App& app, const CLI::App& root) : root_(root) {
    app.add_option("SHELL", shell_, "bash, zsh or fish")->required();
  }
  std::string form() const override { return "studio completion bash|zsh|fish"; }
  bool minds_config() const override { return false; }

  Result<int> run(Context& context) override {
    std::vector<Completion> table;
    collect(root_, "", table);
    if (shell_ == "bash") {
      TRY(context.output.write(bash_script(table)));
    } else if (shell_ == "zsh") {
      TRY(context.output.write(zsh_script(table)));
    } else if (shell_ == "fish") {
      TRY(context.output.write(fish_script(table)));
    } else {
      return usage_error(concat("there is no completion for '", printable(shell_), "'"), form());
    }
    return k_exit_success;
  }

 private:
  const CLI::App& root_;
  std::string shell_;
};

}  // namespace

void add_completion_command(CLI::App& root, CommandTable& commands) {
  CLI::App* completion = root.add_subcommand("completion", "a completion script for a shell");
  commands.add(completion, std::make_unique<CompletionCommand>(*completion, root));
}

}  // namespace studio::cli
