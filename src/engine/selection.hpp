// How a user names experiments, artifacts and versions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "model/experiment.hpp"
#include "model/version.hpp"

namespace studio::engine {

// "EXP/TAG", "EXP/TAG@v3", "EXP/TAG@latest"
struct ArtifactName {
  std::string experiment;  // a key or a prefix of one
  std::string tag;
  std::optional<std::uint64_t> version;  // nothing: the latest
};

// `invalid` with a hint that shows the form.
Result<ArtifactName> parse_artifact_name(std::string_view text);

// The experiment with this key, deleted or not, else the only one of those meant by `deleted` whose key begins so.
// `not_found`, or `invalid` naming the candidates when there are several.
Result<model::Experiment> find_experiment(catalog::Catalog& catalog, std::string_view key,
                                          catalog::Deleted deleted = catalog::Deleted::hidden);

// `not_found` names the artifacts, or the versions, that there are.
Result<model::Version> find_version(catalog::Catalog& catalog, const ArtifactName& name);

}  // namespace studio::engine
