// Studio's configuration: flag > environment > project file > user file > default (doc/cli.md, "studio config list").
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "engine/home.hpp"

namespace studio::cli {

// A key as `config list` shows it.
struct Setting {
  std::string key;
  std::optional<std::string> value;  // nothing: not set, and no default
  std::string origin;                // "default", "/path/config.yaml:3", "STUDIOML_PROJECT", "--project"
};

struct Config {
  std::chrono::milliseconds interval{};  // between captures
  std::chrono::milliseconds grace{};     // between asking a script to stop and killing it
  std::string project;
  std::string owner;
  bool is_owner_set = false;  // otherwise it is the name of whoever logged in to this machine
  std::string python;         // a path or a name to be looked up in PATH; empty: not set
  std::string storage_type;
  std::string storage_path;  // absolute
  bool float_planes = true;
  std::string database_type;
  std::string database_path;       // absolute
  std::string server_url;          // of the server that keeps database or storage; empty: not set
  std::string server_certificate;  // absolute: a PEM file of certificates to trust; empty: none but the system's
  std::string server_token;        // from STUDIOML_TOKEN; empty: that which `studio login` keeps

  std::vector<Setting> settings;      // all keys, in the order of the documentation
  std::vector<std::string> warnings;  // of unknown keys
};

// What the flags of a command say about the configuration.
struct ConfigFlags {
  std::optional<std::string> file = {};  // absolute; in place of the user's file, and it must be there
  std::optional<std::string> project = {};
};

struct ConfigSources {
  engine::Home home;
  std::string directory;                 // absolute: where the project file is looked for, and above
  std::vector<std::string> environment;  // "NAME=VALUE"; an empty value counts as not set
  ConfigFlags flags = {};
};

// Every layer must be right, also where a higher one hides it. Errors name file, line and key, or the variable.
// Relative paths in a file are relative to its directory, in a variable to the current one.
Result<Config> load_config(const ConfigSources& sources);

// Looks at nothing but the home: for commands that mind no config.
Config default_config(const engine::Home& home);

// $STUDIOML_HOME, else ~/.studioml.
Result<engine::Home> locate_home(const std::vector<std::string>& environment, const std::string& directory);

}  // namespace studio::cli
