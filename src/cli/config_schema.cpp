#include "cli/config_schema.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/duration.hpp"
#include "base/name.hpp"
#include "cli/credentials.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

constexpr std::array<ConfigKey, 13> k_keys{{
    {"saveWorkspaceFrequencyMinutes", ValueKind::minutes, "", "saveWorkspaceFrequency"},
    {"saveWorkspaceFrequency", ValueKind::duration, "STUDIOML_SAVE_WORKSPACE_FREQUENCY"},
    {"project", ValueKind::name, "STUDIOML_PROJECT"},
    {"owner", ValueKind::text, "STUDIOML_OWNER"},
    {"python", ValueKind::program, "STUDIOML_PYTHON"},
    {"stopGracePeriod", ValueKind::duration, "STUDIOML_STOP_GRACE_PERIOD"},
    // The registries know a store and a catalog in memory too: of no use to a program that ends.
    {"storage.type", ValueKind::choice, "STUDIOML_STORAGE_TYPE", "", "local http"},
    {"storage.path", ValueKind::path, "STUDIOML_STORAGE_PATH"},
    {"storage.floatPlanes", ValueKind::choice, "STUDIOML_STORAGE_FLOAT_PLANES", "", "on off"},
    {"database.type", ValueKind::choice, "STUDIOML_DATABASE_TYPE", "", "sqlite http"},
    {"database.path", ValueKind::path, "STUDIOML_DATABASE_PATH"},
    {"database.serverUrl", ValueKind::server, "STUDIOML_SERVER_URL"},
    {"database.certificate", ValueKind::path, "STUDIOML_SERVER_CERTIFICATE"},
}};

Result<std::string> duration_of_minutes(std::string_view text) {
  const Error bad{Code::invalid, concat("'", printable(text), "' is not a number of minutes"),
                  "write it as 1 or 0.5, or use saveWorkspaceFrequency: 30s"};
  constexpr double k_most_minutes = 100.0 * 365 * 24 * 60;
  double minutes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), minutes);
  if (error != std::errc() || end != text.data() + text.size()) return bad;
  const double milliseconds = minutes * 60'000;
  if (!(milliseconds >= 1) || minutes > k_most_minutes) return bad;
  return format_duration(std::chrono::milliseconds(std::llround(milliseconds)));
}

Result<std::string> path_of(std::string_view text, const std::string& directory) {
  TRY_ASSIGN(const std::string path, os::expand(text));
  if (path.empty()) return Error{Code::invalid, "the path is empty"};
  return os::absolute(path, directory);
}

bool is_one_of(std::string_view choices, std::string_view text) {
  while (!choices.empty()) {
    const std::size_t space = choices.find(' ');
    if (choices.substr(0, space) == text) return true;
    choices.remove_prefix(space == choices.npos ? choices.size() : space + 1);
  }
  return false;
}

}  // namespace

std::span<const ConfigKey> config_keys() { return k_keys; }

const ConfigKey* find_config_key(std::string_view name) {
  for (const ConfigKey& key : k_keys)
    if (key.name == name) return &key;
  return nullptr;
}

Result<std::string> interpret(const ConfigKey& key, std::string_view text, const std::string& directory) {
  if (text.empty()) return Error{Code::invalid, "the value is empty"};
  switch (key.kind) {
    case ValueKind::text: break;
    case ValueKind::name: TRY(check_name("name", text)); break;
    case ValueKind::duration:
      if (auto duration = parse_duration(text); !duration) {
        duration.error().message = concat("'", printable(text), "' is not a duration");
        return duration.error();
      }
      break;
    case ValueKind::minutes: return duration_of_minutes(text);
    case ValueKind::path: return path_of(text, directory);
    case ValueKind::server: return server_name(text);
    case ValueKind::program:
      if (text.starts_with('~') || text.find('/') != text.npos) return path_of(text, directory);
      break;
    case ValueKind::choice:
      if (!is_one_of(key.choices, text))
        return Error{Code::invalid, concat("unknown value '", printable(text), "'"),
                     concat("known values: ", key.choices)};
      break;
  }
  return std::string(text);
}

}  // namespace studio::cli
