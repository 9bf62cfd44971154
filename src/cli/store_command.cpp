// studio store verify | stats
#include <CLI/CLI.hpp>

#include "base/concat.hpp"
#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/format.hpp"
#include "cli/interruption.hpp"
#include "cli/progress.hpp"
#include "cli/record_json.hpp"
#include "cli/table.hpp"
#include "content/verify.hpp"

namespace studio::cli {

namespace {

class VerifyCommand final : public Command {
 public:
  explicit VerifyCommand(CLI::App& app) { app.add_flag("--json", json_, "as JSON"); }
  std::string form() const override { return "studio store verify [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const Interruption interruption, Interruption::watch());
    TRY_ASSIGN(const auto services, context.wiring.open_existing());
    content::VerifyReport report;
    if (services) {
      Progress progress(context.messages, "verifying", "pack", std::nullopt);
      auto verified = content::verify(
          services->repository,
          {.progress = [&](std::uint64_t packs, std::uint64_t bytes) { progress.update(packs, bytes); }, .stop = interruption.token()});
      if (!verified) return no_usage_error(verified.error());
      report = std::move(*verified);
    }
    if (json_) {
      TRY(write_json(context.output, json_of(report)));
    } else {
      TRY(context.output.write(text_of(report)));
    }
    return report.ok() ? k_exit_success : k_exit_difference;
  }

 private:
  static Json json_of(const content::VerifyReport& report) {
    Json json = Json::object();
    json["ok"] = report.ok();
    json["packs"] = report.packs;
    json["chunks"] = report.chunks;
    json["bytes"] = report.bytes;
    json["versions"] = report.versions;
    json["index_rebuilt"] = report.index_rebuilt;
    json["errors"] = Json::array();
    for (const content::Damage& damage : report.damages) {
      Json error = Json::object();
      error["object"] = damage.object;
      error["problem"] = damage.problem;
      error["affected"] = damage.affected;
      json["errors"].push_back(error);
    }
    return json;
  }

  static std::string text_of(const content::VerifyReport& report) {
    std::string text;
    for (const content::Damage& damage : report.damages) {
      text += concat(damage.object, ": ", damage.problem, "\n");
      for (const std::string& file : damage.affected) text += concat("  affects ", file, "\n");
    }
    if (report.index_rebuilt) text += "the index was rebuilt from the packs\n";
    return text + concat(report.ok() ? "ok: " : "damaged: ", counted(report.packs, "pack"), ", ", counted(report.chunks, "chunk"), ", ",
                         format_size(report.bytes), ", ", counted(report.versions, "version"),
                         report.ok() ? "" : concat("; ", counted(report.damages.size(), "error")), "\n");
  }

  bool json_ = false;
};

class StatsCommand final : public Command {
 public:
  explicit StatsCommand(CLI::App& app) { app.add_flag("--json", json_, "as JSON"); }
  std::string form() const override { return "studio store stats [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const auto services, context.wiring.open_existing());
    content::StoreStats stats;
    if (services) {
      auto measured = content::measure(services->repository);
      if (!measured) return no_usage_error(measured.error());
      stats = std::move(*measured);
    }
    if (json_) {
      TRY(write_json(context.output, json_of(stats)));
    } else {
      TRY(write_text(context.output, stats));
    }
    return k_exit_success;
  }

 private:
  static Json json_of(const content::StoreStats& stats) {
    Json json = Json::object();
    json["logical_bytes"] = stats.logical_bytes;
    json["unique_bytes"] = stats.unique_bytes;
    json["stored_bytes"] = stats.stored_bytes;
    json["packs"] = stats.packs;
    json["chunks"] = stats.chunks;
    json["versions"] = stats.versions;
    json["artifacts"] = Json::array();
    for (const content::ArtifactStats& artifact : stats.artifacts) {
      Json entry = Json::object();
      entry["experiment"] = artifact.experiment;
      entry["tag"] = artifact.tag;
      entry["versions"] = artifact.versions;
      entry["logical_bytes"] = artifact.logical_bytes;
      entry["new_bytes"] = artifact.new_bytes;
      entry["stored_bytes"] = artifact.stored_bytes;
      json["artifacts"].push_back(entry);
    }
    return json;
  }

  static Result<void> write_text(Output& output, const content::StoreStats& stats) {
    Table table({{"EXPERIMENT"}, {"TAG"}, {"VERSIONS", Align::right}, {"LOGICAL", Align::right}, {"NEW", Align::right}, {"STORED", Align::right}});
    for (const content::ArtifactStats& artifact : stats.artifacts)
      table.add({artifact.experiment, artifact.tag, std::to_string(artifact.versions), format_size(artifact.logical_bytes),
                 format_size(artifact.new_bytes), format_size(artifact.stored_bytes)});
    TRY(table.write(output));
    return output.write(concat(counted(stats.versions, "version"), ": ", format_size(stats.logical_bytes), " logical, ",
                               format_size(stats.unique_bytes), " unique, ", format_size(stats.stored_bytes), " stored in ",
                               counted(stats.packs, "pack"), ", ", counted(stats.chunks, "chunk"), "\n"));
  }

  bool json_ = false;
};

}  // namespace

void add_store_commands(CLI::App& root, CommandTable& commands) {
  CLI::App* store = root.add_subcommand("store", "verify and measure the content store");
  CLI::App* verify = store->add_subcommand("verify", "read and check everything");
  commands.add(verify, std::make_unique<VerifyCommand>(*verify));
  CLI::App* stats = store->add_subcommand("stats", "sizes and deduplication");
  commands.add(stats, std::make_unique<StatsCommand>(*stats));
}

}  // namespace studio::cli
