// studio artifacts list | log: what the catalog knows
#include <algorithm>
#include <map>

#include <CLI/CLI.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/artifact_access.hpp"
#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/format.hpp"
#include "cli/record_json.hpp"
#include "cli/table.hpp"
#include "engine/selection.hpp"

namespace studio::cli {

namespace {

struct ListedArtifact {
  const model::Artifact* artifact = nullptr;  // as the last attempt that had it describes it
  std::vector<const model::Version*> versions;
  std::uint64_t stored_bytes() const {
    std::uint64_t sum = 0;
    for (const model::Version* version : versions) sum += version->stored_bytes;
    return sum;
  }
};

class ListCommand final : public Command {
 public:
  explicit ListCommand(CLI::App& app) {
    app.add_option("EXP", key_, "the experiment")->required();
    app.add_flag("--json", json_, "as JSON");
  }
  std::string form() const override { return "studio artifacts list EXP [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const auto services, open_artifacts(context, key_));
    TRY_ASSIGN(const auto experiment, engine::find_experiment(services.catalog, key_));
    TRY_ASSIGN(const auto versions, services.catalog.versions(experiment.key, std::nullopt));
    std::map<std::string, ListedArtifact> listed;
    for (const model::Attempt& attempt : experiment.attempts)
      for (const model::Artifact& artifact : attempt.artifacts)
        if (artifact.mode != model::CaptureMode::reuse) listed[artifact.tag].artifact = &artifact;
    for (const model::Version& version : versions) listed[version.tag].versions.push_back(&version);
    if (json_) {
      Json artifacts = Json::array();
      for (const auto& [tag, artifact] : listed) artifacts.push_back(json_of(tag, artifact));
      Json document = Json::object();
      document["experiment"] = experiment.key;
      document["artifacts"] = artifacts;
      TRY(write_json(context.output, document));
    } else {
      TRY(write_table(context.output, listed));
    }
    return k_exit_success;
  }

 private:
  static Json json_of(const std::string& tag, const ListedArtifact& listed) {
    const model::Version* latest = listed.versions.empty() ? nullptr : listed.versions.back();
    Json json = Json::object();
    json["tag"] = tag;
    json["mode"] = listed.artifact ? Json(model::name_of(listed.artifact->mode)) : Json(nullptr);
    json["path"] = listed.artifact ? Json(to_utf8(listed.artifact->path)) : Json(nullptr);
    json["kind"] = latest ? Json(model::name_of(latest->kind)) : Json(nullptr);
    json["versions"] = listed.versions.size();
    json["latest"] = latest ? Json(model::version_name(latest->number)) : Json(nullptr);
    json["files"] = latest ? latest->totals.files : 0;
    json["bytes"] = latest ? latest->totals.bytes : 0;
    json["stored_bytes"] = listed.stored_bytes();
    json["complete"] = latest == nullptr || latest->complete();
    return json;
  }

  static Result<void> write_table(Output& output, const std::map<std::string, ListedArtifact>& artifacts) {
    Table table({{"TAG"}, {"MODE"}, {"LATEST"}, {"VERSIONS", Align::right}, {"FILES", Align::right}, {"SIZE", Align::right},
                 {"STORED", Align::right}, {"PATH", Align::left, true}});
    for (const auto& [tag, listed] : artifacts) {
      const model::Version* latest = listed.versions.empty() ? nullptr : listed.versions.back();
      table.add({tag, std::string(listed.artifact ? model::name_of(listed.artifact->mode) : "-"),
                 latest ? concat(model::version_name(latest->number), latest->complete() ? "" : " !") : "-",
                 std::to_string(listed.versions.size()), std::to_string(latest ? latest->totals.files : 0),
                 format_size(latest ? latest->totals.bytes : 0), format_size(listed.stored_bytes()),
                 listed.artifact ? printable(listed.artifact->path) : "-"});
    }
    return table.write(output);
  }

  std::string key_;
  bool json_ = false;
};

class LogCommand final : public Command {
 public:
  explicit LogCommand(CLI::App& app) {
    app.add_option("EXP/TAG", name_, "the artifact")->required();
    app.add_flag("--json", json_, "as JSON");
  }
  std::string form() const override { return "studio artifacts log EXP/TAG [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const auto name, engine::parse_artifact_name(name_));
    TRY_ASSIGN(const auto services, open_artifacts(context, name_));
    // Names what there is if the artifact, or the version, is not.
    TRY_ASSIGN(const auto found, engine::find_version(services.catalog, name));
    TRY_ASSIGN(auto versions, services.catalog.versions(found.experiment, found.tag));
    if (name.version) std::erase_if(versions, [&](const model::Version& version) { return version.number > *name.version; });
    std::reverse(versions.begin(), versions.end());
    if (json_) {
      Json header = Json::object();
      header["experiment"] = found.experiment;
      header["tag"] = found.tag;
      JsonListWriter writer(context.output, header, "versions");
      for (const model::Version& version : versions) TRY(writer.add(version_json(version)));
      TRY(writer.finish());
      return k_exit_success;
    }
    Table table({{"VERSION"}, {"WHEN (UTC)"}, {"ATTEMPT", Align::right}, {"REASON"}, {"FILES", Align::right}, {"SIZE", Align::right},
                 {"CHANGES"}, {"NEW", Align::right}, {"STORED", Align::right}});
    for (const model::Version& version : versions)
      table.add({concat(model::version_name(version.number), version.complete() ? "" : " !"), format_minute(version.created),
                 std::to_string(version.attempt), std::string(model::name_of(version.reason)), std::to_string(version.totals.files),
                 format_size(version.totals.bytes), changes_of(version), format_size(version.new_bytes), format_size(version.stored_bytes)});
    TRY(table.write(context.output));
    return write_problems(context.output, versions);
  }

 private:
  static std::string changes_of(const model::Version& version) {
    const model::Changes& changes = version.changes;
    return concat("+", changes.added, " ~", changes.modified, " -", changes.removed);
  }

  static Result<int> write_problems(Output& output, const std::vector<model::Version>& versions) {
    for (const model::Version& version : versions) {
      for (const model::Problem& problem : version.problems)
        TRY(output.write(concat("! ", model::version_name(version.number), ": ", printable(problem.path), ": ", printable(problem.problem), "\n")));
      if (version.problem_count > version.problems.size())
        TRY(output.write(concat("! ", model::version_name(version.number), ": and ", version.problem_count - version.problems.size(), " more\n")));
    }
    return k_exit_success;
  }

  std::string name_;
  bool json_ = false;
};

}  // namespace

void add_artifacts_commands(CLI::App& root, CommandTable& commands) {
  CLI::App* artifacts = root.add_subcommand("artifacts", "list, inspect and restore what was captured");
  CLI::App* list = artifacts->add_subcommand("list", "the artifacts of an experiment");
  commands.add(list, std::make_unique<ListCommand>(*list));
  CLI::App* log = artifacts->add_subcommand("log", "every version of an artifact");
  commands.add(log, std::make_unique<LogCommand>(*log));
  add_content_commands(*artifacts, commands);
}

}  // namespace studio::cli
