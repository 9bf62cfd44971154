// studio artifacts list, log, files
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/command.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "cli/file_line.hpp"
#include "cli/format.hpp"
#include "cli/reference.hpp"
#include "cli/run_record.hpp"
#include "cli/table.hpp"
#include "content/tree_walk.hpp"
#include "os/paths.hpp"
#include "view/artifact.hpp"
#include "view/file_list.hpp"

namespace studio::cli {

namespace {

using nlohmann::ordered_json;

class ArtifactsList : public Command {
 public:
  explicit ArtifactsList(CLI::App& app) {
    add_argument(app, "EXP", key_);
    add_switch(app, "--json", json_, "print JSON");
  }

  std::string form() const override { return "studio artifacts list EXP [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const engine::Services services, context.wiring.for_looking());
    TRY_ASSIGN(const model::Experiment experiment, engine::find_experiment(services.catalog, key_));
    TRY_ASSIGN(const auto attempts, services.catalog.attempts(experiment.key, 0));
    TRY_ASSIGN(auto versions, services.catalog.versions(experiment.key, std::nullopt));
    const view::Summaries summaries = view::summarise(attempts, std::move(versions));
    TRY(json_ ? write_document(context.output, experiment.key, summaries) : write_table(context.output, summaries));
    return k_exit_success;
  }

 private:
  static Result<void> write_document(Output& output, const std::string& key, const view::Summaries& summaries) {
    JsonListWriter artifacts(output, {{"experiment", key}}, "artifacts");
    for (const auto& [tag, summary] : summaries) TRY(artifacts.add(view::artifact_json(tag, summary)));
    return artifacts.finish();
  }

  static Result<void> write_table(Output& output, const view::Summaries& summaries) {
    Table table({{"TAG"},
                 {"MODE"},
                 {"KIND"},
                 {"LATEST"},
                 {"FILES", Align::right},
                 {"SIZE", Align::right},
                 {"STORED", Align::right},
                 {"COMPLETE"},
                 {"PATH", Align::left, true}});
    for (const auto& [tag, summary] : summaries) {
      const model::Version* latest = summary.latest();
      const Cell complete = !latest ? Cell("-") : latest->complete() ? Cell("yes") : Cell("no", Colour::bad);
      table.add({tag, std::string(model::name_of(summary.mode)),
                 latest ? std::string(model::name_of(latest->kind)) : "-",
                 latest ? model::version_name(latest->number) : "-",
                 latest ? std::to_string(latest->totals.files) : "-", latest ? format_size(latest->totals.bytes) : "-",
                 format_size(view::stored_bytes(summary)), complete, printable(summary.path)});
    }
    return table.write(output);
  }

  std::string key_;
  bool json_ = false;
};

class ArtifactsLog : public Command {
 public:
  explicit ArtifactsLog(CLI::App& app) {
    add_argument(app, "EXP/TAG", artifact_);
    add_switch(app, "--json", json_, "print JSON");
  }

  std::string form() const override { return "studio artifacts log EXP/TAG [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const engine::ArtifactName name, engine::parse_artifact_name(artifact_));
    TRY_ASSIGN(const engine::Services services, context.wiring.for_looking());
    TRY_ASSIGN(const model::Experiment experiment, engine::find_experiment(services.catalog, name.experiment));
    TRY_ASSIGN(auto versions, services.catalog.versions(experiment.key, name.tag));
    if (versions.empty() || name.version) {  // an error that explains, or the one version asked for
      TRY_ASSIGN(model::Version version, engine::find_version(services.catalog, name));
      versions = {std::move(version)};
    }
    std::reverse(versions.begin(), versions.end());
    TRY(json_ ? write_document(context.output, versions) : write_table(context.output, versions));
    return k_exit_success;
  }

 private:
  static Result<void> write_document(Output& output, const std::vector<model::Version>& versions) {
    JsonListWriter list(output, {{"experiment", versions.front().experiment}, {"tag", versions.front().tag}},
                        "versions");
    for (const model::Version& version : versions) TRY(list.add(view::version_json(version)));
    return list.finish();
  }

  static Result<void> write_table(Output& output, const std::vector<model::Version>& versions) {
    Table table({{"VERSION"},
                 {"CREATED (UTC)"},
                 {"ATTEMPT", Align::right},
                 {"REASON"},
                 {"FILES", Align::right},
                 {"SIZE", Align::right},
                 {"ADDED", Align::right},
                 {"MODIFIED", Align::right},
                 {"REMOVED", Align::right},
                 {"STORED", Align::right},
                 {"COMPLETE"}});
    for (const model::Version& version : versions)
      table.add({model::version_name(version.number), format_minute(version.created), std::to_string(version.attempt),
                 std::string(model::name_of(version.reason)), std::to_string(version.totals.files),
                 format_size(version.totals.bytes), std::to_string(version.changes.added),
                 std::to_string(version.changes.modified), std::to_string(version.changes.removed),
                 format_size(version.stored_bytes), version.complete() ? Cell("yes") : Cell("no", Colour::bad)});
    TRY(table.write(output));
    for (const model::Version& version : versions) TRY(write_problems(output, version));
    return {};
  }

  static Result<void> write_problems(Output& output, const model::Version& version) {
    if (version.complete()) return {};
    std::string text = concat("\n", model::version_name(version.number), " is not complete:\n");
    for (const model::Problem& problem : version.problems)
      text += concat("  ", printable(problem.path), ": ", printable(problem.problem), "\n");
    const std::uint64_t more = version.problem_count - version.problems.size();
    if (more > 0) text += concat("  and ", more, " more\n");
    return output.write(text);
  }

  std::string artifact_;
  bool json_ = false;
};

class ArtifactsFiles : public Command {
 public:
  explicit ArtifactsFiles(CLI::App& app) {
    add_argument(app, "EXP/TAG[@vN]", artifact_);
    add_optional_argument(app, "PATH", path_);
    add_switch(app, "-R", recursive_, "list what is below directories too");
    add_switch(app, "--json", json_, "print JSON");
  }

  std::string form() const override { return "studio artifacts files EXP/TAG[@vN] [PATH] [-R] [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const engine::Services services, context.wiring.for_looking());
    TRY_ASSIGN(const model::Version version, find_reference(services, artifact_));
    content::ChunkSource& chunks = services.repository.chunks();
    const auto found = content::find_entry(chunks, version.root, path_);
    if (!found) {
      Error error = within(name_of(version), found.error());
      if (error.code == Code::not_found)
        error.hint = concat("'studio artifacts files ", name_of(version), " -R' lists what is in it");
      return error;
    }
    std::string path = os::normalised(path_);
    if (path == "." || path == "/") path.clear();
    if (path.starts_with('/')) path.erase(0, 1);
    const view::ListRequest request{.root = version.root, .path = path, .entry = *found, .recursive = recursive_};
    if (json_) {
      JsonListWriter entries(context.output,
                             {{"experiment", version.experiment},
                              {"tag", version.tag},
                              {"version", model::version_name(version.number)},
                              {"path", to_utf8(path)}},
                             "entries");
      TRY(view::list_files(chunks, request,
                           [&](const view::ListedFile& file) { return entries.add(view::file_json(file)); }));
      TRY(entries.finish());
    } else {
      const bool shows_paths = recursive_;
      TRY(view::list_files(chunks, request, [&](const view::ListedFile& file) {
        return context.output.write(file_line(file, shows_paths, context.output.is_terminal()));
      }));
    }
    return k_exit_success;
  }

 private:
  std::string artifact_;
  std::string path_;
  bool recursive_ = false;
  bool json_ = false;
};

}  // namespace

void add_artifacts_commands(CLI::App& root, CommandTable& commands) {
  CLI::App* group =
      add_subcommand(root, "artifacts", "Lists, shows, restores and compares what experiments left behind.");
  CLI::App* list = add_subcommand(*group, "list", "list the artifacts of an experiment");
  commands.add(list, std::make_unique<ArtifactsList>(*list));
  CLI::App* log = add_subcommand(*group, "log", "list the versions of an artifact, the newest first");
  commands.add(log, std::make_unique<ArtifactsLog>(*log));
  CLI::App* files = add_subcommand(*group, "files", "list the files in a version");
  commands.add(files, std::make_unique<ArtifactsFiles>(*files));
  add_content_commands(*group, commands);
}

}  // namespace studio::cli
