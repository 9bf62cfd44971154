// studio config list
#include <CLI/CLI.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/record_json.hpp"
#include "cli/table.hpp"

namespace studio::cli {

namespace {

class ListCommand final : public Command {
 public:
  explicit ListCommand(CLI::App& app) {
    app.add_flag("--show-origin", origin_, "with where each value comes from");
    app.add_flag("--json", json_, "as JSON");
  }
  std::string form() const override { return "studio config list [--show-origin] [--json]"; }

  Result<int> run(Context& context) override {
    if (json_) {
      JsonListWriter writer(context.output, Json::object(), "config");
      for (const Setting& setting : context.config.settings) {
        Json json = Json::object();
        json["key"] = setting.key;
        json["value"] = setting.value ? Json(to_utf8(*setting.value)) : Json(nullptr);
        json["origin"] = to_utf8(setting.origin);
        TRY(writer.add(json));
      }
      TRY(writer.finish());
      return k_exit_success;
    }
    Table table(origin_ ? std::vector<Column>{{"KEY"}, {"VALUE"}, {"ORIGIN"}} : std::vector<Column>{{"KEY"}, {"VALUE"}});
    for (const Setting& setting : context.config.settings) {
      std::vector<Cell> row{setting.key, setting.value ? printable(*setting.value) : "-"};
      if (origin_) row.emplace_back(printable(setting.origin));
      table.add(std::move(row));
    }
    TRY(table.write(context.output));
    return k_exit_success;
  }

 private:
  bool origin_ = false;
  bool json_ = false;
};

}  // namespace

void add_config_command(CLI::App& root, CommandTable& commands) {
  CLI::App* config = root.add_subcommand("config", "the settings in force");
  CLI::App* list = config->add_subcommand("list", "every setting with its value");
  commands.add(list, std::make_unique<ListCommand>(*list));
}

}  // namespace studio::cli
