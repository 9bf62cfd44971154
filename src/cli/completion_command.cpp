// studio completion
#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/command.hpp"
#include "cli/completion.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"

namespace studio::cli {

namespace {

class Completion : public Command {
 public:
  Completion(CLI::App& app, const CLI::App& root) : root_(root) {
    add_argument(app, "SHELL", shell_);
    add_footer(app,
               "bash: source <(studio completion bash), for instance in ~/.bashrc\n"
               "zsh: studio completion zsh > _studio, in a directory of $fpath\n"
               "fish: studio completion fish > ~/.config/fish/completions/studio.fish");
  }

  std::string form() const override { return "studio completion bash|zsh|fish"; }
  bool minds_config() const override { return false; }

  Result<int> run(Context& context) override {
    const auto script = completion_script(shell_, commands_below(root_, ""));
    if (!script)
      return usage_error(concat("'", printable(shell_), "' is not a shell that completion is made for"), form());
    TRY(context.output.write(*script));
    return k_exit_success;
  }

 private:
  const CLI::App& root_;
  std::string shell_;
};

}  // namespace

void add_completion_command(CLI::App& root, CommandTable& commands) {
  CLI::App* app = add_subcommand(root, "completion", "print a completion script for a shell");
  commands.add(app, std::make_unique<Completion>(*app, root));
}

}  // namespace studio::cli
