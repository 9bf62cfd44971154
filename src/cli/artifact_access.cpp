#include "cli/artifact_access.hpp"

#include "engine/selection.hpp"

namespace studio::cli {

Result<OpenedVersion> open_version(Context& context, const std::string& name) {
  TRY_ASSIGN(const auto parsed, engine::parse_artifact_name(name));
  TRY_ASSIGN(const auto services, context.wiring.for_looking());
  TRY_ASSIGN(auto version, engine::find_version(services.catalog, parsed));
  return OpenedVersion{services, std::move(version)};
}

}  // namespace studio::cli
