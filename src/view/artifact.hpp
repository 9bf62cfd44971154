// Artifacts and versions with the fields of doc/cli.md: what `--json` prints and the server answers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "model/experiment.hpp"
#include "model/version.hpp"

namespace studio::view {

// An artifact of an experiment over all attempts.
struct Summary {
  model::CaptureMode mode = model::CaptureMode::capture;
  std::string path;
  std::vector<model::Version> versions;  // ascending
  const model::Version* latest() const { return versions.empty() ? nullptr : &versions.back(); }
};
using Summaries = std::map<std::string, Summary>;  // by tag

// Reused artifacts belong to their source: what counts is the last attempt that captured the tag.
Summaries summarise(const std::vector<model::Attempt>& attempts, std::vector<model::Version> versions);
std::uint64_t stored_bytes(const Summary& summary);

// An element of `artifacts list`. What only a version tells is null before the first one.
nlohmann::ordered_json artifact_json(const std::string& tag, const Summary& summary);
// An element of `artifacts log`.
nlohmann::ordered_json version_json(const model::Version& version);

}  // namespace studio::view
