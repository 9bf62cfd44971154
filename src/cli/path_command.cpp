// studio path
#include <cstdlib>

#include <CLI/CLI.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"
#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/record_json.hpp"
#include "os/fd.hpp"

namespace studio::cli {

namespace {

class PathCommand final : public Command {
 public:
  explicit PathCommand(CLI::App& app) {
    app.add_option("TAG", tag_, "the artifact")->required();
    app.add_flag("--json", json_, "as JSON");
  }
  std::string form() const override { return "studio path TAG [--json]"; }
  bool minds_config() const override { return false; }

  Result<int> run(Context& context) override {
    const char* map_path = std::getenv("STUDIOML_ARTIFACT_MAPPING");
    if (map_path == nullptr || *map_path == '\0')
      return usage_error("no run is under way here: STUDIOML_ARTIFACT_MAPPING is not set",
                         concat("studio path works inside a script started by studio run, as in studio run -c PATH:", printable(tag_), " SCRIPT"));
    auto text = os::read_file(map_path);
    if (!text) return no_usage_error(text.error());
    const auto map = nlohmann::json::parse(as_text(*text), nullptr, false);
    if (!map.is_object()) return Error{Code::corrupt, concat("the artifact map '", printable(map_path), "' is damaged")};
    const auto found = map.find(tag_);
    if (found == map.end() || !found->is_string()) return unknown_tag(map);
    if (json_) {
      Json json = Json::object();
      json["tag"] = tag_;
      json["path"] = *found;
      TRY(write_json(context.output, json));
    } else {
      TRY(context.output.write(found->get<std::string>() + "\n"));
    }
    return k_exit_success;
  }

 private:
  Error unknown_tag(const nlohmann::json& map) const {
    std::string tags;
    for (const auto& [tag, path] : map.items()) tags += concat(tags.empty() ? "" : ", ", tag);
    return usage_error(concat("this run has no artifact '", printable(tag_), "'"), concat("it has ", tags));
  }

  std::string tag_;
  bool json_ = false;
};

}  // namespace

void add_path_command(CLI::App& root, CommandTable& commands) {
  CLI::App* path = root.add_subcommand("path", "inside a run: the local path of an artifact");
  commands.add(path, std::make_unique<PathCommand>(*path));
}

}  // namespace studio::cli
