// PATH:TAG and EXP/TAG[@vN]:NEWTAG as the flags of `studio run` take them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engine/run.hpp"

namespace studio::cli {

// Relative paths are relative to the current directory; `~`, `~user`, `$VAR` are expanded. The errors name the flag and
// show the form. Whether the path is there is not looked at.
Result<engine::CaptureSpec> parse_capture(model::CaptureMode mode, std::string_view value);
Result<engine::ReuseSpec> parse_reuse(std::string_view value);

// A usage error if a tag is given twice or a reused artifact would take the place of a default one.
Result<void> check_tags(const std::vector<engine::CaptureSpec>& captures, const std::vector<engine::ReuseSpec>& reuses);

// Warnings for tags, those of the default artifacts included, that would share one STUDIO_ARTIFACT_<TAG>: it is not set
// then.
std::vector<std::string> shared_variables(const std::vector<engine::CaptureSpec>& captures,
                                          const std::vector<engine::ReuseSpec>& reuses);

}  // namespace studio::cli
