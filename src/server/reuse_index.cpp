#include "server/reuse_index.hpp"

#include <algorithm>

namespace studio::server {

void ReuseIndex::add(std::string_view experiment, const model::Attempt& attempt) {
  for (const model::Artifact& artifact : attempt.artifacts) {
    if (!artifact.source) continue;
    const Use use{artifact.source->tag, artifact.source->version, std::string(experiment), artifact.tag};
    std::uint64_t& last = uses_[artifact.source->experiment][use];
    last = std::max(last, attempt.number);
  }
}

Reuses ReuseIndex::of(std::string_view experiment, std::size_t limit) const {
  const auto found = uses_.find(experiment);
  if (found == uses_.end()) return {};
  Reuses result{.reuses = {}, .total = found->second.size()};
  for (const auto& [use, attempt] : found->second) {
    if (result.reuses.size() == limit) break;
    result.reuses.push_back({use.source_tag, use.version, use.experiment, use.tag, attempt});
  }
  return result;
}

}  // namespace studio::server
