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
#include "cli/file_list.hpp"
#include "cli/format.hpp"
#include "cli/reference.hpp"
#include "cli/run_record.hpp"
#include "cli/table.hpp"
#include "content/tree_walk.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

using nlohmann::ordered_json;

// An artifact of an experiment over all attempts.
struct Summary {
  model::CaptureMode mode = model::CaptureMode::capture;
  std::string path;
  std::vector<model::Version> versions;  // ascending
  const model::Version* latest() const { return versions.empty() ? nullptr : &versions.back(); }
};
using Summaries = std::map<std::string, Summary>;

// Reused artifacts belong to their source: what counts is the last attempt that captured the tag.
Summaries summarise(const model::Experiment& experiment, std::vector<model::Version> versions) {
  Summaries summaries;
  for (const model::Attempt& attempt : experiment.attempts) {
    for (const model::Artifact& artifact : attempt.artifacts) {
      if (artifact.mode == model::CaptureMode::reuse) continue;
      Summary& summary = summaries[artifact.tag];
      summary.mode = artifact.mode;
      summary.path = artifact.path;
    }
  }
  for (model::Version& version : versions) summaries[version.tag].versions.push_back(std::move(version));
  return summaries;
}

// Before the first capture the path itself tells.
model::ArtifactKind kind_of(const Summary& summary) {
  if (const model::Version* latest = summary.latest()) return latest->kind;
  struct stat info {};
  const bool is_file = ::stat(summary.path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode);
  return is_file ? model::ArtifactKind::file : model::ArtifactKind::directory;
}

std::uint64_t stored_bytes(const Summary& summary) {
  std::uint64_t total = 0;
  for (const model::Version& version : summary.versions) total += version.stored_bytes;
  return total;
}

class ArtifactsList : public Command {
 public:
  explicit ArtifactsList(CLI::App& app) {
    app.add_option("EXP", key_)->required();
    app.add_flag("--json", json_, "print JSON");
  }

  std::string form() const override { return "studio artifacts list EXP [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const engine::Services services, context.wiring.for_looking());
    TRY_ASSIGN(const model::Experiment experiment, engine::find_experiment(services.catalog, key_));
    TRY_ASSIGN(auto versions, services.catalog.versions(experiment.key, std::nullopt));
    const Summaries summaries = summarise(experiment, std::move(versions));
    TRY(json_ ? write_document(context.output, experiment.key, summaries) : write_table(context.output, summaries));
    return k_exit_success;
  }

 private:
  static Result<void> write_document(Output& output, const std::string& key, const Summaries& summaries) {
    JsonListWriter artifacts(output, {{"experiment", key}}, "artifacts");
    for (const auto& [tag, summary] : summaries) {
      const model::Version* latest = summary.latest();
      ordered_json json{{"tag", tag},
                        {"mode", model::name_of(summary.mode)},
                        {"path", to_utf8(summary.path)},
                        {"kind", model::name_of(kind_of(summary))},
                        {"versions", summary.versions.size()}};
      json["latest"] = latest ? ordered_json(model::version_name(latest->number)) : ordered_json();
      json["files"] = latest ? ordered_json(latest->totals.files) : ordered_json();
      json["bytes"] = latest ? ordered_json(latest->totals.bytes) : ordered_json();
      json["stored_bytes"] = stored_bytes(summary);
      json["complete"] = latest ? ordered_json(latest->complete()) : ordered_json();
      TRY(artifacts.add(json));
    }
    return artifacts.finish();
  }

  static Result<void> write_table(Output& output, const Summaries& summaries) {
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
      table.add({tag, std::string(model::name_of(summary.mode)), std::string(model::name_of(kind_of(summary))),
                 latest ? model::version_name(latest->number) : "-",
                 latest ? std::to_string(latest->totals.files) : "-", latest ? format_size(latest->totals.bytes) : "-",
                 format_size(stored_bytes(summary)), complete, printable(summary.path)});
    }
    return table.write(output);
  }

  std::string key_;
  bool json_ = false;
};

class ArtifactsLog : public Command {
 public:
  explicit ArtifactsLog(CLI::App& app) {
    app.add_option("EXP/TAG", artifact_)->required();
    app.add_flag("--json", json_, "print JSON");
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
    for (const model::Version& version : versions) {
      ordered_json problems = ordered_json::array();
      for (const model::Problem& problem : version.problems)
        problems.push_back({{"path", to_utf8(problem.path)}, {"problem", to_utf8(problem.problem)}});
      const model::Changes& changes = version.changes;
      TRY(list.add(
          {{"version", model::version_name(version.number)},
           {"number", version.number},
           {"created", format_time(version.created)},
           {"attempt", version.attempt},
           {"reason", model::name_of(version.reason)},
           {"digest", version.root.digest.hex()},
           {"files", version.totals.files},
           {"bytes", version.totals.bytes},
           {"changes", {{"added", changes.added}, {"modified", changes.modified}, {"removed", changes.removed}}},
           {"new_bytes", version.new_bytes},
           {"stored_bytes", version.stored_bytes},
           {"complete", version.complete()},
           {"problems", std::move(problems)}}));
    }
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
    app.add_option("EXP/TAG[@vN]", artifact_)->required();
    app.add_option("PATH", path_);
    app.add_flag("-R", recursive_, "list what is below directories too");
    app.add_flag("--json", json_, "print JSON");
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
    const ListRequest request{.root = version.root, .path = path, .entry = *found, .recursive = recursive_};
    if (json_) {
      JsonListWriter entries(context.output,
                             {{"experiment", version.experiment},
                              {"tag", version.tag},
                              {"version", model::version_name(version.number)},
                              {"path", to_utf8(path)}},
                             "entries");
      TRY(list_files(chunks, request, [&](const ListedFile& file) { return entries.add(file_json(file)); }));
      TRY(entries.finish());
    } else {
      const bool shows_paths = recursive_;
      TRY(list_files(chunks, request, [&](const ListedFile& file) {
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
      root.add_subcommand("artifacts", "Lists, shows, restores and compares what experiments left behind.");
  CLI::App* list = group->add_subcommand("list", "list the artifacts of an experiment");
  commands.add(list, std::make_unique<ArtifactsList>(*list));
  CLI::App* log = group->add_subcommand("log", "list the versions of an artifact, the newest first");
  commands.add(log, std::make_unique<ArtifactsLog>(*log));
  CLI::App* files = group->add_subcommand("files", "list the files in a version");
  commands.add(files, std::make_unique<ArtifactsFiles>(*files));
  add_content_commands(*group, commands);
}

}  // namespace studio::cli
