// A version of an artifact as a command names it.
#pragma once

#include <string>

#include "base/concat.hpp"
#include "base/result.hpp"
#include "engine/selection.hpp"
#include "engine/services.hpp"
#include "model/version.hpp"

namespace studio::cli {

// "exp/data@v3", whatever short form it was named by.
inline std::string name_of(const model::Version& version) {
  return concat(version.experiment, "/", version.tag, "@", model::version_name(version.number));
}

// `invalid` or `not_found`, as engine/selection.hpp says.
inline Result<model::Version> find_reference(const engine::Services& services, const std::string& text) {
  TRY_ASSIGN(const engine::ArtifactName name, engine::parse_artifact_name(text));
  return engine::find_version(services.catalog, name);
}

}  // namespace studio::cli
