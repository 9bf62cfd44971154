#include "server/find.hpp"

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"

namespace studio::server {

namespace {

Error no_experiment(std::string_view key) {
  return {Code::not_found, concat("there is no experiment '", printable(key), "'")};
}

}  // namespace

Result<model::Experiment> find_experiment(const Backend& backend, const Call& call) {
  const std::string& key = call.name("key");
  if (!valid_name(key)) return no_experiment(key);
  return backend.catalog.load(key);
}

Result<model::Version> find_version(const Backend& backend, const Call& call) {
  const std::string& key = call.name("key");
  const std::string& tag = call.name("tag");
  const std::string& name = call.name("version");
  const Error missing{Code::not_found,
                      concat("there is no version '", printable(key), "/", printable(tag), "@", printable(name), "'")};
  if (!valid_name(key) || !valid_name(tag)) return missing;
  if (name == "latest") {
    TRY_ASSIGN(auto latest, backend.catalog.latest(key, tag));
    if (!latest) return missing;
    return *std::move(latest);
  }
  const auto number = model::parse_version_name(name);
  if (!number) return missing;
  TRY_ASSIGN(auto versions, backend.catalog.versions(key, tag));
  for (model::Version& version : versions)
    if (version.number == *number) return std::move(version);
  return missing;
}

}  // namespace studio::server
