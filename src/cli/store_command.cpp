// studio store verify, stats
#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/command.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "cli/format.hpp"
#include "cli/interruption.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "content/verify.hpp"
#include "view/store.hpp"

namespace studio::cli {

namespace {

using nlohmann::ordered_json;

class StoreVerify : public Command {
 public:
  explicit StoreVerify(CLI::App& app) {
    add_switch(app, "--json", json_, "print JSON");
    add_footer(
        app,
        "Reads every pack, checks every chunk against its digest and every version down to its last chunk, and names "
        "the files that damage affects. A lost or damaged index is rebuilt. Exits with 1 if the store is damaged.");
  }

  std::string form() const override { return "studio store verify [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const Interruption interruption, Interruption::watch());
    TRY_ASSIGN(content::Repository * repository, context.wiring.repository_for_looking());
    auto report = [&] {
      Progress progress(context.messages, "verifying", "pack", std::nullopt);
      return content::verify(
          *repository, {.progress = [&](std::uint64_t packs, std::uint64_t bytes) { progress.update(packs, bytes); },
                        .stop = interruption.token()});
    }();
    if (!report) return no_usage_error(std::move(report).error());
    TRY(json_ ? write_json(context.output, document(*report)) : context.output.write(text(*report)));
    return report->ok() ? k_exit_success : k_exit_difference;
  }

 private:
  static ordered_json document(const content::VerifyReport& report) {
    ordered_json errors = ordered_json::array();
    for (const content::Damage& damage : report.damages) {
      ordered_json affected = ordered_json::array();
      for (const std::string& name : damage.affected) affected.push_back(to_utf8(name));
      errors.push_back({{"object", to_utf8(damage.object)},
                        {"problem", to_utf8(damage.problem)},
                        {"affected", std::move(affected)}});
    }
    return {{"ok", report.ok()},          {"packs", report.packs},       {"chunks", report.chunks},
            {"bytes", report.bytes},      {"versions", report.versions}, {"index_rebuilt", report.index_rebuilt},
            {"errors", std::move(errors)}};
  }

  static std::string text(const content::VerifyReport& report) {
    std::string text;
    for (const content::Damage& damage : report.damages) {
      text += concat(printable(damage.object), ": ", one_line(damage.problem), "\n");
      for (const std::string& name : damage.affected) text += concat("  affects ", one_line(name), "\n");
    }
    if (report.index_rebuilt) text += "the index was lost or damaged and was rebuilt\n";
    text += concat(report.ok() ? "ok: " : concat("damaged (", counted(report.damages.size(), "error"), "): "),
                   counted(report.packs, "pack"), ", ", counted(report.chunks, "chunk"), ", ",
                   format_size(report.bytes), ", ", counted(report.versions, "version"), "\n");
    return text;
  }

  bool json_ = false;
};

class StoreStats : public Command {
 public:
  explicit StoreStats(CLI::App& app) { add_switch(app, "--json", json_, "print JSON"); }

  std::string form() const override { return "studio store stats [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(content::Repository * repository, context.wiring.repository_for_looking());
    auto stats = content::measure(*repository);
    if (!stats) return no_usage_error(std::move(stats).error());
    TRY(json_ ? write_json(context.output, view::stats_json(*stats)) : write_text(context.output, *stats));
    return k_exit_success;
  }

 private:
  static Result<void> write_text(Output& output, const content::StoreStats& stats) {
    TRY(output.write(concat(counted(stats.versions, "version"), ": ", format_size(stats.logical_bytes),
                            " as if each were kept whole\n", counted(stats.chunks, "chunk"), ": ",
                            format_size(stats.unique_bytes), " after deduplication\n", counted(stats.packs, "pack"),
                            ": ", format_size(stats.stored_bytes), " on disk\n", stats.artifacts.empty() ? "" : "\n")));
    Table table({{"EXPERIMENT"},
                 {"TAG"},
                 {"VERSIONS", Align::right},
                 {"WHOLE", Align::right},
                 {"NEW", Align::right},
                 {"STORED", Align::right}});
    for (const content::ArtifactStats& artifact : stats.artifacts)
      table.add({artifact.experiment, artifact.tag, std::to_string(artifact.versions),
                 format_size(artifact.logical_bytes), format_size(artifact.new_bytes),
                 format_size(artifact.stored_bytes)});
    return table.write(output);
  }

  bool json_ = false;
};

}  // namespace

void add_store_commands(CLI::App& root, CommandTable& commands) {
  CLI::App* group = add_subcommand(root, "store", "Examines the store.");
  CLI::App* verify = add_subcommand(*group, "verify", "read everything in the store and check it");
  commands.add(verify, std::make_unique<StoreVerify>(*verify));
  CLI::App* stats = add_subcommand(*group, "stats", "tell how much is stored, and what deduplication saves");
  commands.add(stats, std::make_unique<StoreStats>(*stats));
}

}  // namespace studio::cli
