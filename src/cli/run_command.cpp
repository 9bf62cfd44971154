// studio run
#include <unistd.h>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"
#include "cli/capture_spec.hpp"
#include "cli/command.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "cli/metric_spec.hpp"
#include "cli/script.hpp"
#include "engine/attempt.hpp"
#include "engine/run.hpp"
#include "os/atomic_file.hpp"
#include "os/child.hpp"
#include "os/fd.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

class RunCommand : public Command {
 public:
  explicit RunCommand(CLI::App& app) {
    capture_ =
        add_list(app, "-c,--capture", "PATH:TAG", "capture PATH under TAG every interval and at the end; repeatable");
    once_ = add_list(app, "--capture-once", "PATH:TAG", "capture PATH once, before the script starts; repeatable");
    reuse_ = add_list(app, "-r,--reuse", "EXP/TAG[@vN|@latest]:NEWTAG",
                      "give this run that version, read-only, under NEWTAG (its own tag without it); repeatable");
    metric_ = add_list(app, "--metric", "NAME[:min|max|last]",
                       "show that value of the scalar NAME, which the script writes for TensorBoard; repeatable");
    add_value(app, "-e,--experiment", "NAME", experiment_, "the experiment's key; without it a unique one is made");
    add_value(app, "--project", "NAME", project_, "the project the experiment belongs to");
    add_value(app, "--config", "FILE", config_file_, "use FILE in place of $STUDIOML_HOME/config.yaml");
    add_switch(app, "--quiet", quiet_, "no notices, only warnings and errors");
    add_switch(app, "-v,--verbose", verbose_, "tell of every capture");
    add_footer(
        app,
        "The first argument that is not a flag is the script and ends Studio's flags; all after it belongs to the "
        "script. A script is a *.py file, an executable file, or a command found in PATH. What follows -- is taken as "
        "the command as it stands.\n"
        "Values may be attached (--capture=PATH:TAG) or follow (--capture PATH:TAG). A leading ~ and $VAR are "
        "expanded. The TAG is what follows the last colon; without one it is the last component of PATH.");
  }

  std::string form() const override { return "studio run [FLAGS] SCRIPT [ARGS…]"; }
  FlagsStand flags_stand() const override { return FlagsStand::before_script; }
  void take_script(const Arguments& arguments) override { arguments_ = arguments; }

  Result<ConfigFlags> config_flags() const override {
    ConfigFlags flags;
    if (!project_.empty()) {
      if (!valid_name(project_)) return bad_name("--project", project_);
      flags.project = project_;
    }
    if (config_file_.empty()) return flags;
    TRY_ASSIGN(flags.file, os::resolve(config_file_));
    if (::access(flags.file->c_str(), F_OK) != 0)
      return usage_error(concat("--config: the file '", printable(config_file_), "' does not exist"), "--config FILE");
    return flags;
  }

  Verbosity verbosity() const override {
    return verbose_ ? Verbosity::verbose : quiet_ ? Verbosity::quiet : Verbosity::normal;
  }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(engine::RunSpec spec, make_spec(context));
    TRY_ASSIGN(const engine::Services services, context.wiring.for_running());
    TRY_ASSIGN(spec.owner, context.wiring.owner());
    TRY_ASSIGN(const engine::RunOutcome outcome, engine::run(services, spec));
    return outcome.interrupted ? k_exit_interrupted : outcome.exit_code;
  }

 private:
  static Error bad_name(std::string_view flag, std::string_view name) {
    return usage_error(concat(flag, ": '", printable(name), "' is not a name"),
                       concat(flag, " NAME: 1 to 100 letters, digits, '.', '_' or '-'"));
  }

  // Everything that can be wrong with the command line is found here, before anything is made.
  Result<engine::RunSpec> make_spec(Context& context) const {
    engine::RunSpec spec;
    if (!experiment_.empty() && !valid_name(experiment_)) return bad_name("--experiment", experiment_);
    spec.experiment = experiment_;
    TRY(add_artifacts(spec, context.messages));
    for (const std::string& value : given(*metric_)) {
      TRY_ASSIGN(model::Metric metric, parse_metric(value));
      spec.metrics.push_back(std::move(metric));
    }
    TRY(check_metrics(spec.metrics));
    auto directory = os::current_directory();
    if (!directory) return no_usage_error(std::move(directory).error());
    spec.directory = *std::move(directory);
    if (!valid_utf8(spec.directory))  // the script gets its paths as JSON
      return usage_error(concat("the current directory '", printable(spec.directory), "' is not UTF-8"),
                         "rename it, or work in another one");
    TRY(add_command(spec, context));
    spec.project = context.config.project;
    spec.interval = context.config.interval;
    spec.grace = context.config.grace;
    spec.own_paths = {context.config.storage_path};
    for (const char* suffix : {"", "-wal", "-shm", "-journal", ".lock"})
      spec.own_paths.push_back(concat(context.config.database_path, suffix));
    return spec;
  }

  Result<void> add_artifacts(engine::RunSpec& spec, Messages& messages) const {
    for (const std::string& value : given(*once_)) {
      TRY_ASSIGN(engine::CaptureSpec once, parse_capture(model::CaptureMode::once, value));
      spec.captures.push_back(std::move(once));
    }
    for (const std::string& value : given(*capture_)) {
      TRY_ASSIGN(engine::CaptureSpec capture, parse_capture(model::CaptureMode::capture, value));
      spec.captures.push_back(std::move(capture));
    }
    for (const std::string& value : given(*reuse_)) {
      TRY_ASSIGN(engine::ReuseSpec reuse, parse_reuse(value));
      spec.reuses.push_back(std::move(reuse));
    }
    TRY(check_tags(spec.captures, spec.reuses));
    TRY(engine::check_sources(spec));
    for (const std::string& warning : shared_variables(spec.captures, spec.reuses))
      messages.report(engine::Severity::warning, warning);
    return {};
  }

  Result<void> add_command(engine::RunSpec& spec, Context& context) const {
    const auto environment = os::own_environment();
    const ScriptSources sources{
        .python = context.config.python,
        .search = std::string(os::find_variable(environment, "PATH").value_or(os::k_default_search)),
        .directory = spec.directory};
    TRY_ASSIGN(Script script, resolve_script(arguments_, sources));
    if (const auto hidden = why_package_is_hidden(script, sources))
      context.messages.report(engine::Severity::warning, *hidden);
    spec.command = arguments_.rest;
    spec.argv = std::move(script.argv);
    spec.interpreter = std::move(script.interpreter);
    return {};
  }

  const CLI::Option* capture_;
  const CLI::Option* once_;
  const CLI::Option* reuse_;
  const CLI::Option* metric_;
  std::string experiment_;
  std::string project_;
  std::string config_file_;
  bool quiet_ = false;
  bool verbose_ = false;
  Arguments arguments_;
};

}  // namespace

void add_run_command(CLI::App& root, CommandTable& commands) {
  CLI::App* app = add_subcommand(root, "run", "run a script as an experiment");
  commands.add(app, std::make_unique<RunCommand>(*app));
}

}  // namespace studio::cli
