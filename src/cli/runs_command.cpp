// studio runs list, show, stop, kill, delete, restore
#include <algorithm>
#include <chrono>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/number.hpp"
#include "cli/command.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "cli/format.hpp"
#include "cli/interruption.hpp"
#include "cli/run_record.hpp"
#include "cli/run_view.hpp"
#include "engine/control.hpp"
#include "engine/deletion.hpp"
#include "engine/selection.hpp"
#include "model/environment.hpp"
#include "view/run.hpp"

namespace studio::cli {

namespace {

std::string names_of_states() {
  using enum model::State;
  std::string names;
  for (const model::State state : {starting, running, finished, failed, killed, stopped, lost})
    names += concat(names.empty() ? "" : ", ", model::name_of(state));
  return names;
}

Result<void> write_run_list(Output& output, const std::vector<model::Experiment>& experiments) {
  JsonListWriter runs(output, nlohmann::ordered_json::object(), "runs");
  for (const model::Experiment& experiment : experiments) TRY(runs.add(view::run_json(experiment)));
  return runs.finish();
}

class RunsList : public Command {
 public:
  explicit RunsList(CLI::App& app) {
    add_value(app, "--project", "P", project_, "only runs of project P");
    statuses_ =
        add_list(app, "--status", "S", concat("only runs with this status: ", names_of_states(), "; repeatable"));
    add_switch(app, "--deleted", deleted_, "only runs that were deleted, which are left out otherwise");
    add_value(app, "--limit", "N", limit_, "at most N runs; 50 unless given");
    add_switch(app, "--json", json_, "print JSON");
  }

  std::string form() const override {
    return "studio runs list [--project P] [--status S]… [--deleted] [--limit N] [--json]";
  }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const catalog::Filter filter, make_filter());
    const auto limit = parse_number(limit_);
    if (!limit) return usage_error(concat("--limit: '", printable(limit_), "' is not a number of runs"), "--limit 20");
    TRY_ASSIGN(const engine::Services services, context.wiring.for_looking());
    TRY_ASSIGN(const auto found, services.catalog.list(filter, *limit));
    if (json_) {
      TRY(write_run_list(context.output, found.experiments));
    } else {
      TRY(write_runs(context.output, found.experiments, services.clock.now()));
    }
    for (const catalog::Unreadable& each : found.unreadable) context.messages.error(each.error);
    return found.unreadable.empty() ? k_exit_success : k_exit_failure;
  }

 private:
  Result<catalog::Filter> make_filter() const {
    catalog::Filter filter;
    if (deleted_) filter.deleted = catalog::Deleted::only;
    if (!project_.empty()) filter.project = project_;
    for (const std::string& name : given(*statuses_)) {
      const auto state = model::parse_state(name);
      if (!state)
        return usage_error(concat("--status: '", printable(name), "' is not a status"),
                           concat("--status S, one of ", names_of_states()));
      filter.states.push_back(*state);
    }
    return filter;
  }

  std::string project_;
  const CLI::Option* statuses_;
  bool deleted_ = false;
  std::string limit_ = "50";
  bool json_ = false;
};

class RunsShow : public Command {
 public:
  explicit RunsShow(CLI::App& app) {
    add_argument(app, "KEY", key_);
    add_value(app, "--attempt", "N", attempt_, "show the environment of attempt N; the last one unless given");
    add_switch(app, "--json", json_, "print JSON");
  }

  std::string form() const override { return "studio runs show KEY [--attempt N] [--json]"; }

  Result<int> run(Context& context) override {
    const auto wanted = parse_number(attempt_);
    if (!attempt_.empty() && !wanted)
      return usage_error(concat("--attempt: '", printable(attempt_), "' is not the number of an attempt"),
                         "--attempt 0");
    TRY_ASSIGN(const engine::Services services, context.wiring.for_looking());
    TRY_ASSIGN(const model::Experiment experiment,
               engine::find_experiment(services.catalog, key_, catalog::Deleted::any));
    const std::uint64_t number = wanted.value_or(experiment.last().number);
    TRY_ASSIGN(const auto attempts, services.catalog.attempts(experiment.key, 0));
    if (const auto there = view::check_attempt(experiment.key, attempts, number); !there)
      return within("--attempt", there.error());
    TRY_ASSIGN(const auto environment, load_environment(services, experiment.key, number));
    if (json_) {
      TRY(write_json(context.output, view::run_document(experiment, attempts, environment)));
    } else {
      TRY(write_run(context.output, experiment, attempts, number, environment, services.clock.now()));
    }
    return k_exit_success;
  }

 private:
  static Result<std::optional<model::Environment>> load_environment(const engine::Services& services,
                                                                    const std::string& key, std::uint64_t attempt) {
    auto environment = view::load_environment(services.repository.objects(), key, attempt);
    const bool is_unreadable =
        !environment && (environment.error().code == Code::corrupt || environment.error().code == Code::unsupported);
    if (!is_unreadable) return environment;
    // All else of the run can be shown.
    services.report(engine::Severity::warning, concat("the environment is not shown: ", environment.error().message));
    return std::optional<model::Environment>();
  }

  std::string key_;
  std::string attempt_;
  bool json_ = false;
};

class RunsEnd : public Command {
 public:
  RunsEnd(CLI::App& app, model::StopRequest request) : request_(request) {
    add_argument(app, "KEY", key_);
    add_switch(app, "--json", json_, "print the run afterwards as JSON");
  }

  std::string form() const override {
    return concat("studio runs ", request_ == model::StopRequest::kill ? "kill" : "stop", " KEY [--json]");
  }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const Interruption interruption, Interruption::watch());
    TRY_ASSIGN(const engine::Services services, context.wiring.for_looking());
    TRY_ASSIGN(const model::Experiment found, engine::find_experiment(services.catalog, key_));
    TRY_ASSIGN(const model::Experiment ended,
               engine::end_run(services, found.key, request_, context.config.grace, interruption.token()));
    context.messages.report(engine::Severity::notice, concat(ended.key, " ", model::name_of(ended.state())));
    if (json_) TRY(write_json(context.output, view::run_json(ended)));
    return k_exit_success;
  }

 private:
  model::StopRequest request_;
  std::string key_;
  bool json_ = false;
};

class RunsDelete : public Command {
 public:
  RunsDelete(CLI::App& app, bool restores) : app_(app), restores_(restores) {
    add_arguments(app, "KEY", first_key_);
    add_switch(app, "--json", json_, "print the runs afterwards as JSON");
    if (!restores)
      add_footer(app,
                 "Takes experiments out of the lists; 'studio runs restore' brings them back. Their bytes stay in the"
                 " store until they are collected, which no command does yet.");
  }

  std::string form() const override {
    return concat("studio runs ", restores_ ? "restore" : "delete", " KEY… [--json]");
  }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const engine::Services services, context.wiring.for_looking());
    TRY_ASSIGN(const auto keys, find_all(services));
    std::vector<model::Experiment> changed;
    for (const std::string& key : keys) {
      TRY_ASSIGN(model::Experiment experiment,
                 restores_ ? engine::restore_experiment(services, key) : engine::delete_experiment(services, key));
      context.messages.report(engine::Severity::notice, concat(key, restores_ ? " restored" : " deleted"));
      changed.push_back(std::move(experiment));
    }
    if (json_) TRY(write_run_list(context.output, changed));
    return k_exit_success;
  }

 private:
  // Whole keys, each once. An error before anything is changed.
  Result<std::vector<std::string>> find_all(const engine::Services& services) const {
    const auto which = restores_ ? catalog::Deleted::any : catalog::Deleted::hidden;
    std::vector<std::string> named = further_arguments(app_);
    named.insert(named.begin(), first_key_);
    std::vector<std::string> keys;
    for (const std::string& key : named) {
      TRY_ASSIGN(const model::Experiment found, engine::find_experiment(services.catalog, key, which));
      if (!restores_) TRY(engine::check_deletable(services, found));
      if (std::ranges::find(keys, found.key) == keys.end()) keys.push_back(found.key);
    }
    return keys;
  }

  const CLI::App& app_;
  bool restores_;
  std::string first_key_;
  bool json_ = false;
};

}  // namespace

void add_runs_commands(CLI::App& root, CommandTable& commands) {
  CLI::App* group =
      add_subcommand(root, "runs", "Lists experiments, shows them, ends those that run, deletes and restores them.");
  CLI::App* list = add_subcommand(*group, "list", "list experiments, the newest first");
  commands.add(list, std::make_unique<RunsList>(*list));
  CLI::App* show = add_subcommand(*group, "show", "show an experiment, its attempts and what it ran in");
  commands.add(show, std::make_unique<RunsShow>(*show));
  CLI::App* stop = add_subcommand(*group, "stop", "ask a run to end, and wait until it has");
  commands.add(stop, std::make_unique<RunsEnd>(*stop, model::StopRequest::stop));
  CLI::App* kill = add_subcommand(*group, "kill", "end a run without giving it time, and wait until it has ended");
  commands.add(kill, std::make_unique<RunsEnd>(*kill, model::StopRequest::kill));
  CLI::App* remove = add_subcommand(*group, "delete", "delete experiments, which can be undone");
  commands.add(remove, std::make_unique<RunsDelete>(*remove, false));
  CLI::App* restore = add_subcommand(*group, "restore", "bring deleted experiments back");
  commands.add(restore, std::make_unique<RunsDelete>(*restore, true));
}

}  // namespace studio::cli
