// The version of this build, from the project's CMakeLists.txt.
#pragma once

#include <string_view>

namespace studio {

inline constexpr std::string_view k_studio_version = STUDIO_VERSION;

}  // namespace studio
