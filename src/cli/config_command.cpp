// studio config list
#include <nlohmann/json.hpp>

#include "base/display.hpp"
#include "cli/command.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "cli/table.hpp"

namespace studio::cli {

namespace {

using nlohmann::ordered_json;

class ConfigList : public Command {
 public:
  explicit ConfigList(CLI::App& app) {
    add_switch(app, "--show-origin", show_origin_, "tell where each value comes from");
    add_switch(app, "--json", json_, "print JSON");
    add_footer(
        app,
        "Flag > environment > project config (.studioml.yaml in the current directory or the nearest above it) > user "
        "config ($STUDIOML_HOME/config.yaml) > default.");
  }

  std::string form() const override { return "studio config list [--show-origin] [--json]"; }

  Result<int> run(Context& context) override {
    TRY(json_ ? write_document(context) : write_table(context));
    return k_exit_success;
  }

 private:
  static Result<void> write_document(Context& context) {
    JsonListWriter list(context.output, ordered_json::object(), "config");
    for (const Setting& setting : context.config.settings)
      TRY(list.add({{"key", setting.key},
                    {"value", setting.value ? ordered_json(to_utf8(*setting.value)) : ordered_json()},
                    {"origin", to_utf8(setting.origin)}}));
    return list.finish();
  }

  Result<void> write_table(Context& context) const {
    std::vector<Column> columns{{"KEY"}, {"VALUE"}};
    if (show_origin_) columns.push_back({"ORIGIN"});
    Table table(std::move(columns));
    for (const Setting& setting : context.config.settings) {
      std::vector<Cell> cells{setting.key, setting.value ? printable(*setting.value) : "-"};
      if (show_origin_) cells.emplace_back(printable(setting.origin));
      table.add(std::move(cells));
    }
    return table.write(context.output);
  }

  bool show_origin_ = false;
  bool json_ = false;
};

}  // namespace

void add_config_command(CLI::App& root, CommandTable& commands) {
  CLI::App* group = add_subcommand(root, "config", "Shows the configuration.");
  CLI::App* list = add_subcommand(*group, "list", "list every key with its value");
  commands.add(list, std::make_unique<ConfigList>(*list));
}

}  // namespace studio::cli
