#include "view/artifact.hpp"

#include "base/clock.hpp"
#include "base/display.hpp"

namespace studio::view {

using nlohmann::ordered_json;

Summaries summarise(const std::vector<model::Attempt>& attempts, std::vector<model::Version> versions) {
  Summaries summaries;
  for (const model::Attempt& attempt : attempts) {
    for (const model::Artifact& artifact : attempt.artifacts) {
      if (artifact.mode == model::CaptureMode::reuse) continue;
      Summary& summary = summaries[artifact.tag];
      summary.mode = artifact.mode;
      summary.path = artifact.path;
    }
  }
  for (model::Version& version : versions) summaries[version.tag].versions.push_back(std::move(version));
  return summaries;
}

std::uint64_t stored_bytes(const Summary& summary) {
  std::uint64_t total = 0;
  for (const model::Version& version : summary.versions) total += version.stored_bytes;
  return total;
}

ordered_json artifact_json(const std::string& tag, const Summary& summary) {
  const model::Version* latest = summary.latest();
  ordered_json json{{"tag", tag}, {"mode", model::name_of(summary.mode)}, {"path", to_utf8(summary.path)}};
  json["kind"] = latest ? ordered_json(model::name_of(latest->kind)) : ordered_json();
  json["versions"] = summary.versions.size();
  json["latest"] = latest ? ordered_json(model::version_name(latest->number)) : ordered_json();
  json["files"] = latest ? ordered_json(latest->totals.files) : ordered_json();
  json["bytes"] = latest ? ordered_json(latest->totals.bytes) : ordered_json();
  json["stored_bytes"] = stored_bytes(summary);
  json["complete"] = latest ? ordered_json(latest->complete()) : ordered_json();
  return json;
}

ordered_json version_json(const model::Version& version) {
  ordered_json problems = ordered_json::array();
  for (const model::Problem& problem : version.problems)
    problems.push_back({{"path", to_utf8(problem.path)}, {"problem", to_utf8(problem.problem)}});
  const model::Changes& changes = version.changes;
  return {{"version", model::version_name(version.number)},
          {"number", version.number},
          {"created", format_time(version.created)},
          {"attempt", version.attempt},
          {"reason", model::name_of(version.reason)},
          {"digest", version.root.digest.hex()},
          {"files", version.totals.files},
          {"bytes", version.totals.bytes},
          {"changes", {{"added", changes.added}, {"modified", changes.modified}, {"removed", changes.removed}}},
          {"new_bytes", version.new_bytes},
          {"stored_bytes", version.stored_bytes},
          {"complete", version.complete()},
          {"problems", std::move(problems)}};
}

}  // namespace studio::view
