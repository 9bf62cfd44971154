// Secrets: made of the system's randomness, and compared without telling where they differ.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace studio::server {

// 32 random bytes in hexadecimal.
Result<std::string> make_secret();

// Takes the same time wherever they differ.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace studio::server
