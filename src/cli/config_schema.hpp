// The keys of the configuration: the one table behind reading, checking and listing them.
#pragma once

#include <span>
#include <string_view>

#include "base/result.hpp"

namespace studio::cli {

enum class ValueKind {
  text,      // not empty
  name,      // valid_name()
  duration,  // parse_duration()
  minutes,   // a number of minutes, not necessarily whole: the older form of a duration
  path,      // of a file or directory; `~` and `$VAR` are expanded
  server,    // the URL of a Studio server
  program,   // a path, or a name to be looked up in PATH
  choice,    // one of `choices`
};

struct ConfigKey {
  std::string_view name;  // "storage.type": key `type` of the map `storage`
  ValueKind kind;
  std::string_view variable;      // may be empty
  std::string_view sets = {};     // kind minutes: the key that it is another form of
  std::string_view choices = {};  // with a space between them
};

// An older form comes before the key that it sets: of two in one file the newer wins.
std::span<const ConfigKey> config_keys();
const ConfigKey* find_config_key(std::string_view name);

// The value as it is kept: checked, paths absolute (relative ones to `directory`), minutes as a duration. The error
// says what is wrong with the value, not where it stands.
Result<std::string> interpret(const ConfigKey& key, std::string_view text, const std::string& directory);

}  // namespace studio::cli
