#include "view/store.hpp"

#include <nlohmann/json.hpp>

namespace studio::view {

using nlohmann::ordered_json;

ordered_json stats_json(const content::StoreStats& stats) {
  ordered_json artifacts = ordered_json::array();
  for (const content::ArtifactStats& artifact : stats.artifacts)
    artifacts.push_back({{"experiment", artifact.experiment},
                         {"tag", artifact.tag},
                         {"versions", artifact.versions},
                         {"logical_bytes", artifact.logical_bytes},
                         {"new_bytes", artifact.new_bytes},
                         {"stored_bytes", artifact.stored_bytes}});
  return {{"logical_bytes", stats.logical_bytes},
          {"unique_bytes", stats.unique_bytes},
          {"stored_bytes", stats.stored_bytes},
          {"packs", stats.packs},
          {"chunks", stats.chunks},
          {"versions", stats.versions},
          {"artifacts", std::move(artifacts)}};
}

}  // namespace studio::view
