#include "cli/artifact_access.hpp"

#include "base/concat.hpp"
#include "base/display.hpp"
#include "engine/selection.hpp"

namespace studio::cli {

Result<engine::Services> open_artifacts(Context& context, const std::string& name) {
  TRY_ASSIGN(auto services, context.wiring.open_existing());
  if (services) return *services;
  return Error{Code::not_found, concat("there is no experiment '", printable(name.substr(0, name.find('/'))), "'"),
               "nothing has been run yet: studio run SCRIPT"};
}

Result<OpenedVersion> open_version(Context& context, const std::string& name) {
  TRY_ASSIGN(const auto parsed, engine::parse_artifact_name(name));
  TRY_ASSIGN(const auto services, open_artifacts(context, name));
  TRY_ASSIGN(auto version, engine::find_version(services.catalog, parsed));
  return OpenedVersion{services, std::move(version)};
}

}  // namespace studio::cli
