// What the commands about one version begin with.
#pragma once

#include <string>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "engine/services.hpp"
#include "model/version.hpp"

namespace studio::cli {

struct OpenedVersion {
  engine::Services services;
  model::Version version;
};
// The version that "EXP/TAG[@vN]" names.
Result<OpenedVersion> open_version(Context& context, const std::string& name);

}  // namespace studio::cli
