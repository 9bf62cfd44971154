// studio path
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/command.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "os/fd.hpp"

namespace studio::cli {

namespace {

constexpr const char* k_mapping_variable = "STUDIOML_ARTIFACT_MAPPING";

class Path : public Command {
 public:
  explicit Path(CLI::App& app) {
    add_argument(app, "TAG", tag_);
    add_switch(app, "--json", json_, "print JSON");
  }

  std::string form() const override { return "studio path TAG [--json]"; }
  // A script that asks for its artifacts is not held up by a config file that was broken meanwhile.
  bool minds_config() const override { return false; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const nlohmann::json mapping, load_mapping());
    const auto found = mapping.find(tag_);
    if (found == mapping.end() || !found->is_string()) return unknown(mapping);
    const auto path = found->get<std::string>();
    TRY(json_ ? write_json(context.output, {{"tag", tag_}, {"path", path}}) : context.output.write(path + "\n"));
    return k_exit_success;
  }

 private:
  static Result<nlohmann::json> load_mapping() {
    const char* file = std::getenv(k_mapping_variable);
    if (file == nullptr || *file == '\0')
      return usage_error(concat("this is not inside a run: ", k_mapping_variable, " is not set"),
                         "studio run SCRIPT, which calls: studio path TAG");
    auto text = os::read_file(file);
    if (!text) return no_usage_error(within(k_mapping_variable, std::move(text).error()));
    auto mapping = nlohmann::json::parse(as_text(*text), nullptr, false);
    if (!mapping.is_object())
      return Error{Code::corrupt, concat(k_mapping_variable, ": '", printable(file), "' is not a JSON object")};
    return mapping;
  }

  Error unknown(const nlohmann::json& mapping) const {
    std::string tags;
    for (const auto& [tag, path] : mapping.items()) tags += concat(tags.empty() ? "" : ", ", printable(tag));
    return Error{Code::not_found, concat("this run has no artifact '", printable(tag_), "'"), concat("it has ", tags)};
  }

  std::string tag_;
  bool json_ = false;
};

}  // namespace

void add_path_command(CLI::App& root, CommandTable& commands) {
  CLI::App* app = add_subcommand(root, "path", "print the local path of an artifact, inside a run");
  commands.add(app, std::make_unique<Path>(*app));
}

}  // namespace studio::cli
