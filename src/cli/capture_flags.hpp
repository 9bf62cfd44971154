// What `studio run` is asked to capture and to reuse: "PATH:TAG" and "EXP/TAG@vN:NEWTAG".
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/run.hpp"

namespace studio::cli {

struct ArtifactFlags {
  std::vector<std::string> capture;
  std::vector<std::string> capture_once;
  std::vector<std::string> reuse;
};

struct ArtifactSpecs {
  std::vector<engine::CaptureSpec> captures;
  std::vector<engine::ReuseSpec> reuses;
  std::vector<std::string> warnings;  // of tags that share a STUDIO_ARTIFACT_… variable
};

// Expands paths and checks tags. Every error is a usage error that names the flag.
Result<ArtifactSpecs> parse_artifact_flags(const ArtifactFlags& flags);

}  // namespace studio::cli
