// studio runs list | show | stop | kill
#include <CLI/CLI.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/command.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "cli/format.hpp"
#include "cli/interruption.hpp"
#include "cli/record_json.hpp"
#include "cli/table.hpp"
#include "engine/control.hpp"
#include "engine/ledger.hpp"
#include "engine/selection.hpp"
#include "os/signals.hpp"

namespace studio::cli {

namespace {

constexpr std::size_t k_default_limit = 50;

Colour colour_of(model::State state) {
  switch (state) {
    case model::State::starting:
    case model::State::running: return Colour::live;
    case model::State::finished: return Colour::good;
    case model::State::failed:
    case model::State::killed:
    case model::State::lost: return Colour::bad;
    case model::State::stopped: return Colour::none;
  }
  return Colour::none;
}

std::string command_line_of(const model::Experiment& experiment) {
  std::string text;
  for (const std::string& argument : experiment.command) text += concat(text.empty() ? "" : " ", printable(argument));
  return text;
}

// The key of an experiment that there is, or why not. Nothing was ever run: as if it were not found.
Result<engine::Services> open_for_key(Context& context, const std::string& key) {
  TRY_ASSIGN(auto services, context.wiring.open_existing());
  if (services) return *services;
  return Error{Code::not_found, concat("there is no experiment '", printable(key), "'"), "nothing has been run yet: studio run SCRIPT"};
}

class ListCommand final : public Command {
 public:
  explicit ListCommand(CLI::App& app) {
    app.add_option("--project", project_, "only of this project")->type_name("NAME");
    status_ = add_list(app, "--status", unused_, "only in this state; repeatable")->type_name("STATUS");
    app.add_option("--limit", limit_, "at most so many")->type_name("N");
    app.add_flag("--json", json_, "as JSON");
  }
  std::string form() const override { return "studio runs list [--project NAME] [--status STATUS]… [--limit N] [--json]"; }

  Result<int> run(Context& context) override {
    catalog::Filter filter;
    if (!project_.empty()) filter.project = project_;
    for (const std::string& name : status_->results()) {
      const auto state = model::parse_state(name);
      if (!state)
        return usage_error(concat("--status: '", printable(name), "' is no status"),
                           "--status takes starting, running, finished, failed, killed, stopped or lost");
      filter.states.push_back(*state);
    }
    std::size_t limit = k_default_limit;
    if (!limit_.empty()) {
      const bool digits = limit_.size() <= 9 && limit_.find_first_not_of("0123456789") == std::string::npos;
      limit = digits ? std::stoul(limit_) : 0;
      if (limit == 0) return usage_error(concat("--limit: '", printable(limit_), "' is not a number of runs"), "write it as --limit 20");
    }
    TRY_ASSIGN(const auto services, context.wiring.open_existing());
    std::vector<model::Experiment> experiments;
    if (services) {
      TRY_ASSIGN(experiments, services->catalog.list(filter, limit));
    }
    const WallTime now = SystemClock().now();
    if (json_) {
      JsonListWriter writer(context.output, Json::object(), "runs");
      for (const auto& experiment : experiments) TRY(writer.add(run_json(experiment, now)));
      TRY(writer.finish());
      return k_exit_success;
    }
    Table table({{"KEY"}, {"STATUS"}, {"STARTED (UTC)"}, {"TIME", Align::right}, {"PROJECT"}, {"COMMAND", Align::left, true}});
    for (const auto& experiment : experiments) {
      const model::Attempt& attempt = experiment.last();
      table.add({experiment.key, Cell(std::string(model::name_of(attempt.state)), colour_of(attempt.state)),
                 format_minute(attempt.started), format_seconds(duration_of(attempt, now)), experiment.project,
                 command_line_of(experiment)});
    }
    TRY(table.write(context.output));
    return k_exit_success;
  }

 private:
  std::vector<std::string> unused_;
  CLI::Option* status_;
  std::string project_;
  std::string limit_;
  bool json_ = false;
};

class ShowCommand final : public Command {
 public:
  explicit ShowCommand(CLI::App& app) {
    app.add_option("KEY", key_, "the experiment")->required();
    app.add_option("--attempt", attempt_, "the environment of this attempt, not of the last")->type_name("N");
    app.add_flag("--json", json_, "as JSON");
  }
  std::string form() const override { return "studio runs show KEY [--attempt N] [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const auto services, open_for_key(context, key_));
    TRY_ASSIGN(const auto experiment, engine::find_experiment(services.catalog, key_));
    TRY_ASSIGN(const std::uint64_t number, attempt_number(experiment));
    TRY_ASSIGN(const Json environment, read_environment(services, experiment.key, number));
    const WallTime now = SystemClock().now();
    Json json = run_json(experiment, now);
    json["studio_version"] = experiment.studio_version;
    json["history"] = Json::array();
    for (const auto& attempt : experiment.attempts) json["history"].push_back(attempt_json(attempt, now));
    json["environment"] = environment;
    if (json_) {
      TRY(write_json(context.output, json));
    } else {
      TRY(context.output.write(text_of(experiment, experiment.attempts[number], environment, now)));
    }
    return k_exit_success;
  }

 private:
  Result<std::uint64_t> attempt_number(const model::Experiment& experiment) const {
    if (attempt_.empty()) return experiment.attempts.size() - 1;
    const bool digits = attempt_.size() <= 9 && attempt_.find_first_not_of("0123456789") == std::string::npos;
    if (digits && std::stoul(attempt_) < experiment.attempts.size()) return std::stoul(attempt_);
    return usage_error(concat("--attempt: '", experiment.key, "' has no attempt '", printable(attempt_), "'"),
                       concat("it has the attempts 0 to ", experiment.attempts.size() - 1));
  }

  static Result<Json> read_environment(const engine::Services& services, const std::string& key, std::uint64_t attempt) {
    const auto text = services.repository.objects().get(engine::environment_key(key, attempt), {});
    if (!text && text.error().code == Code::not_found) return Json(nullptr);
    if (!text) return text.error();
    Json json = Json::parse(as_text(*text), nullptr, false);
    if (!json.is_object()) return Error{Code::corrupt, concat(engine::environment_key(key, attempt), " is damaged")};
    json.erase("format");
    return json;
  }

  static std::string text_of(const model::Experiment& experiment, const model::Attempt& attempt, const Json& environment, WallTime now) {
    std::string text;
    const auto line = [&](std::string_view name, const std::string& value) {
      if (value.empty()) return;
      std::string padded(name);
      padded.resize(12, ' ');
      text += concat(padded, value, "\n");
    };
    line("key", experiment.key);
    line("status", concat(model::name_of(attempt.state), attempt.reason.empty() ? "" : ": ", attempt.reason));
    line("command", command_line_of(experiment));
    line("directory", printable(experiment.directory));
    line("project", experiment.project);
    line("owner", experiment.owner);
    line("attempt", concat(attempt.number, " of ", experiment.attempts.size()));
    line("started", concat(format_minute(attempt.started), " UTC"));
    line("time", concat(format_seconds(duration_of(attempt, now)), ", CPU ", format_seconds(attempt.usage.user_seconds + attempt.usage.system_seconds),
                        ", memory ", format_size(attempt.usage.peak_memory_bytes)));
    line("host", attempt.process.host);
    line("studio", experiment.studio_version);
    if (environment.is_object()) add_environment(line, environment);
    text += "\n";
    Table table({{"TAG"}, {"MODE"}, {"VERSION"}, {"PATH", Align::left, true}});
    for (const model::Artifact& artifact : attempt.artifacts) {
      std::string version = artifact.last_version ? model::version_name(*artifact.last_version) : "-";
      if (artifact.source)
        version = concat(artifact.source->experiment, "/", artifact.source->tag, "@", model::version_name(artifact.source->version));
      table.add({artifact.tag, std::string(model::name_of(artifact.mode)), version, printable(artifact.path)});
    }
    return text + table.text(0, false);
  }

  template <class Line>
  static void add_environment(const Line& line, const Json& environment) {
    if (const Json& python = environment.value("python", Json()); python.is_object())
      line("python", concat(python.value("version", ""), ", ", counted(python.value("packages", Json::object()).size(), "package")));
    if (const Json& git = environment.value("git", Json()); git.is_object())
      line("git", concat(git.value("commit", "").substr(0, 12), git.value("branch", "").empty() ? "" : " ", printable(git.value("branch", "")),
                         git.value("dirty", false) ? ", with changes" : ""));
    for (const Json& gpu : environment.value("gpus", Json::array())) line("gpu", printable(gpu.value("name", "")));
  }

  std::string key_;
  std::string attempt_;
  bool json_ = false;
};

class EndCommand final : public Command {
 public:
  EndCommand(CLI::App& app, model::StopRequest request) : request_(request) {
    app.add_option("KEY", key_, "the experiment")->required();
    app.add_flag("--json", json_, "as JSON");
  }
  std::string form() const override {
    return concat("studio runs ", request_ == model::StopRequest::kill ? "kill" : "stop", " KEY [--json]");
  }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const Interruption interruption, Interruption::watch());
    TRY_ASSIGN(const auto services, open_for_key(context, key_));
    TRY_ASSIGN(const auto experiment, engine::find_experiment(services.catalog, key_));
    TRY_ASSIGN(const auto ended, engine::end_run(services, experiment.key, request_, context.config.grace, interruption.token()));
    if (json_) {
      TRY(write_json(context.output, run_json(ended, SystemClock().now())));
    } else {
      TRY(context.output.write(concat(ended.key, " ", model::name_of(ended.state()), "\n")));
    }
    return k_exit_success;
  }

 private:
  model::StopRequest request_;
  std::string key_;
  bool json_ = false;
};

}  // namespace

void add_runs_commands(CLI::App& root, CommandTable& commands) {
  CLI::App* runs = root.add_subcommand("runs", "list, show and end experiments");
  CLI::App* list = runs->add_subcommand("list", "the experiments, newest first");
  commands.add(list, std::make_unique<ListCommand>(*list));
  CLI::App* show = runs->add_subcommand("show", "everything recorded of one experiment");
  commands.add(show, std::make_unique<ShowCommand>(*show));
  CLI::App* stop = runs->add_subcommand("stop", "ask a run to end, and wait until it has");
  commands.add(stop, std::make_unique<EndCommand>(*stop, model::StopRequest::stop));
  CLI::App* kill = runs->add_subcommand("kill", "end a run at once");
  commands.add(kill, std::make_unique<EndCommand>(*kill, model::StopRequest::kill));
}

}  // namespace studio::cli
