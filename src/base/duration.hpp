// Durations as people write them: "30s", "1m", "1h30m", "500ms", "2d".
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace studio {

// At least one number with a unit (ms, s, m, h, d), each unit smaller than the one before. The sum must not be zero.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

std::string format_duration(std::chrono::milliseconds duration);

}  // namespace studio
