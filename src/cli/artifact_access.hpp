// What the commands about artifacts begin with.
#pragma once

#include <string>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "engine/services.hpp"
#include "model/version.hpp"

namespace studio::cli {

// `not_found` for `name` when nothing has ever been run.
Result<engine::Services> open_artifacts(Context& context, const std::string& name);

struct OpenedVersion {
  engine::Services services;
  model::Version version;
};
// The version that "EXP/TAG[@vN]" names.
Result<OpenedVersion> open_version(Context& context, const std::string& name);

}  // namespace studio::cli
