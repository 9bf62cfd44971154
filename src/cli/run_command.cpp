// studio run
#include <CLI/CLI.hpp>

#include "base/name.hpp"
#include "cli/capture_flags.hpp"
#include "cli/command.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "cli/script.hpp"
#include "engine/run.hpp"
#include "os/child.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

class RunCommand final : public Command {
 public:
  explicit RunCommand(CLI::App& app) {
    capture_ = add_list(app, "-c,--capture", unused_, "capture PATH every interval and at the end")->type_name("PATH:TAG");
    capture_once_ = add_list(app, "--capture-once", unused_, "capture PATH once, before the script starts")->type_name("PATH:TAG");
    reuse_ = add_list(app, "-r,--reuse", unused_, "give this run an artifact of another one, read-only")
                 ->type_name("EXP/TAG[@vN]:NEWTAG");
    experiment_ = app.add_option("-e,--experiment", experiment_name_, "the experiment's key; without it one is made")->type_name("NAME");
    app.add_option("--project", project_, "the project it belongs to")->type_name("NAME");
    app.add_option("--config", config_file_, "use FILE in place of $STUDIOML_HOME/config.yaml")->type_name("FILE");
    app.add_flag("--quiet", quiet_, "only warnings and errors");
    app.add_flag("-v,--verbose", verbose_, "tell of every capture");
  }

  std::string form() const override { return "studio run [FLAGS] SCRIPT [ARGS…]"; }
  FlagsStand flags_stand() const override { return FlagsStand::before_script; }
  void take_script(const Arguments& arguments) override {
    command_ = arguments.rest;
    as_it_stands_ = arguments.after_dashes;
  }
  Verbosity verbosity() const override {
    if (verbose_) return Verbosity::verbose;
    return quiet_ ? Verbosity::quiet : Verbosity::normal;
  }

  Result<ConfigFlags> config_flags() const override {
    ConfigFlags flags;
    if (!project_.empty()) {
      if (auto good = check_name("project name", project_); !good) return within("--project", good.error());
      flags.project = project_;
    }
    if (!config_file_.empty()) {
      auto path = os::resolve(config_file_);
      if (!path) return within("--config", path.error());
      flags.file = std::move(*path);
    }
    return flags;
  }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const engine::RunSpec spec, make_spec(context));
    TRY_ASSIGN(const engine::Services services, context.wiring.open());
    TRY_ASSIGN(const engine::RunOutcome outcome, engine::run(services, spec));
    return outcome.exit_code;
  }

 private:
  Result<engine::RunSpec> make_spec(Context& context) const {
    if (experiment_->count() > 0) {
      if (auto good = check_name("experiment name", experiment_name_); !good) return within("--experiment", good.error());
    }
    TRY_ASSIGN(ArtifactSpecs artifacts,
               parse_artifact_flags({capture_->results(), capture_once_->results(), reuse_->results()}));
    engine::RunSpec spec{.experiment = experiment_name_,
                         .project = context.config.project,
                         .owner = context.config.owner,
                         .command = command_,
                         .captures = std::move(artifacts.captures),
                         .reuses = std::move(artifacts.reuses),
                         .own_directories = {context.config.storage_path},
                         .interval = context.config.interval,
                         .grace = context.config.grace};
    TRY_ASSIGN(spec.directory, os::current_directory());
    const auto environment = os::own_environment();
    TRY_ASSIGN(Script script, resolve_script({.command = command_,
                                              .as_it_stands = as_it_stands_,
                                              .directory = spec.directory,
                                              .search = std::string(os::find_variable(environment, "PATH").value_or(os::k_default_search)),
                                              .python = context.config.python}));
    spec.argv = std::move(script.argv);
    spec.interpreter = std::move(script.interpreter);
    for (const auto* warnings : {&artifacts.warnings, &script.warnings})
      for (const std::string& warning : *warnings) context.messages.report(engine::Severity::warning, warning);
    return spec;
  }

  std::vector<std::string> unused_;  // see add_list()
  CLI::Option* capture_;
  CLI::Option* capture_once_;
  CLI::Option* reuse_;
  CLI::Option* experiment_;
  std::string experiment_name_;
  std::string project_;
  std::string config_file_;
  bool quiet_ = false;
  bool verbose_ = false;
  std::vector<std::string> command_;
  bool as_it_stands_ = false;
};

}  // namespace

void add_run_command(CLI::App& root, CommandTable& commands) {
  CLI::App* app = root.add_subcommand("run", "run a script as an experiment");
  commands.add(app, std::make_unique<RunCommand>(*app));
}

}  // namespace studio::cli
