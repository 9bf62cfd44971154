// A config file: YAML, read as a flat list of the keys that the schema knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/config_schema.hpp"

namespace studio::cli {

struct FileValue {
  const ConfigKey* key;
  std::string text;
  int line;  // from 1
};

struct ConfigFile {
  std::vector<FileValue> values;      // in the order of the schema
  std::vector<std::string> warnings;  // unknown keys
};

// `name` is the path as messages show it. Errors begin with "NAME:LINE: KEY: ".
Result<ConfigFile> parse_config_file(std::string_view text, const std::string& name);

// "config.yaml:3"
std::string place(const std::string& name, int line);

}  // namespace studio::cli
