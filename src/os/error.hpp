// errno as an Error.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace studio::os {

// "cannot OPERATION 'PATH': CAUSE", the code chosen by `number` (an errno value). The path is made printable.
Error system_error(std::string_view operation, std::string_view path, int number);

}  // namespace studio::os
