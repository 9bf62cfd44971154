#include "cli/config.hpp"

#include <map>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/duration.hpp"
#include "cli/config_file.hpp"
#include "cli/config_schema.hpp"
#include "os/atomic_file.hpp"
#include "os/child.hpp"
#include "os/fd.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

constexpr std::string_view k_project_file = ".studioml.yaml";
constexpr std::size_t k_most_bytes = 1 << 20;
// Not a key: a file is read by others, and a list of settings is shown to them.
constexpr std::string_view k_token_variable = "STUDIOML_TOKEN";

// Values by key; each layer replaces what the one before it said.
class Layers {
 public:
  explicit Layers(const engine::Home& home) {
    set("saveWorkspaceFrequency", "1m", "default");
    set("project", "default", "default");
    set("owner", os::login_name(), "default");
    set("stopGracePeriod", "10s", "default");
    set("storage.type", "local", "default");
    set("storage.path", home.store(), "default");
    set("storage.floatPlanes", "on", "default");
    set("database.type", "sqlite", "default");
    set("database.path", home.catalog(), "default");
  }

  Result<void> add_file(const std::string& path, ByteView text) {
    TRY_ASSIGN(ConfigFile file, parse_config_file(as_text(text), path));
    for (const FileValue& value : file.values)
      TRY(add(*value.key, value.text, place(path, value.line), os::parent_of(path)));
    warnings_.insert(warnings_.end(), file.warnings.begin(), file.warnings.end());
    return {};
  }

  Result<void> add_environment(const std::vector<std::string>& environment, const std::string& directory) {
    server_token_ = os::find_variable(environment, k_token_variable).value_or("");
    for (const ConfigKey& key : config_keys()) {
      if (key.variable.empty()) continue;
      const auto value = os::find_variable(environment, key.variable);
      if (value && !value->empty()) TRY(add(key, *value, std::string(key.variable), directory));
    }
    return {};
  }

  void set(std::string_view key, std::string value, std::string origin) {
    values_[std::string(key)] = {std::move(value), std::move(origin)};
  }

  // What follows from the others.
  void derive() {
    // Whose database is kept by a server, of him it keeps the data, too.
    if (value("database.type") == "http" && values_["storage.type"].origin == "default")
      set("storage.type", "http", "database.type");
  }

  // A setting that another one needs.
  Result<void> check() const {
    for (const char* key : {"database.type", "storage.type"})
      if (value(key) == "http" && value("database.serverUrl").empty())
        return Error{Code::invalid, concat(values_.at(key).origin, ": ", key, " is http, and there is no server"),
                     "set database.serverUrl: https://studio.example.org"};
    if (value("storage.type") == "http" && value("database.type") != "http")
      return Error{Code::invalid,
                   concat(values_.at("storage.type").origin, ": storage.type is http, database.type is not"),
                   "set database.type: http; records belong where the data are"};
    return {};
  }

  Config config() const {
    Config config;
    // Checked when they were added.
    config.interval = *parse_duration(value("saveWorkspaceFrequency"));
    config.grace = *parse_duration(value("stopGracePeriod"));
    config.project = value("project");
    config.owner = value("owner");
    config.python = value("python");
    config.storage_type = value("storage.type");
    config.storage_path = value("storage.path");
    config.float_planes = value("storage.floatPlanes") == "on";
    config.database_type = value("database.type");
    config.database_path = value("database.path");
    config.is_owner_set = values_.at("owner").origin != "default";
    config.server_url = value("database.serverUrl");
    config.server_certificate = value("database.certificate");
    config.server_token = server_token_;
    config.warnings = warnings_;
    for (const ConfigKey& key : config_keys()) {
      if (!key.sets.empty()) continue;  // shown as the key that it sets
      const auto found = values_.find(std::string(key.name));
      if (found == values_.end()) {
        config.settings.push_back({std::string(key.name), std::nullopt, "default"});
      } else {
        config.settings.push_back({std::string(key.name), found->second.text, found->second.origin});
      }
    }
    return config;
  }

 private:
  struct Value {
    std::string text;
    std::string origin;
  };

  Result<void> add(const ConfigKey& key, std::string_view text, std::string origin, const std::string& directory) {
    auto value = interpret(key, text, directory);
    if (!value) {
      const bool is_variable = origin == key.variable;
      return within(is_variable ? origin : concat(origin, ": ", key.name), value.error());
    }
    set(key.sets.empty() ? key.name : key.sets, *std::move(value), std::move(origin));
    return {};
  }

  std::string value(std::string_view key) const {
    const auto found = values_.find(std::string(key));
    return found == values_.end() ? std::string() : found->second.text;
  }

  std::map<std::string, Value> values_;
  std::string server_token_;
  std::vector<std::string> warnings_;
};

Result<void> add_file_if_there(Layers& layers, const std::string& path) {
  auto text = os::read_file(path, k_most_bytes);
  if (!text && text.error().code == Code::not_found) return {};
  if (!text) return within("config file", text.error());
  return layers.add_file(path, *text);
}

// `.studioml.yaml` in the directory or the nearest above it; empty if there is none.
std::string find_project_file(std::string directory) {
  while (true) {
    const std::string path = concat(directory == "/" ? "" : directory, "/", k_project_file);
    if (os::exists(path)) return path;
    if (directory == "/") return {};
    directory = os::parent_of(directory);
  }
}

}  // namespace

Result<Config> load_config(const ConfigSources& sources) {
  Layers layers(sources.home);
  const std::string user_file = sources.flags.file.value_or(sources.home.config());
  TRY(add_file_if_there(layers, user_file));
  const std::string project_file = find_project_file(sources.directory);
  if (!project_file.empty() && project_file != user_file) TRY(add_file_if_there(layers, project_file));
  TRY(layers.add_environment(sources.environment, sources.directory));
  if (sources.flags.project) layers.set("project", *sources.flags.project, "--project");
  layers.derive();
  TRY(layers.check());
  return layers.config();
}

Config default_config(const engine::Home& home) { return Layers(home).config(); }

Result<engine::Home> locate_home(const std::vector<std::string>& environment, const std::string& directory) {
  const auto variable = os::find_variable(environment, "STUDIOML_HOME");
  std::string root =
      variable && !variable->empty() ? std::string(*variable) : concat(os::home_directory(), "/.studioml");
  // A service file or an `env` line leaves the `~` to us.
  if (root.starts_with('~')) {
    TRY_ASSIGN(root, os::expand(root));
  }
  // The script gets its paths as JSON.
  if (!valid_utf8(root))
    return Error{Code::invalid, concat("STUDIOML_HOME: '", printable(root), "' is not UTF-8"),
                 "set it to another directory"};
  return engine::Home{os::absolute(root, directory)};
}

}  // namespace studio::cli
