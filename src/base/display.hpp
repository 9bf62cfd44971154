// Byte strings (file names, arguments) as text for people and for JSON.
#pragma once

#include <string>
#include <string_view>

namespace studio {

bool valid_utf8(std::string_view bytes);

// Each byte that is no part of valid UTF-8 becomes U+FFFD: always valid UTF-8, possibly lossy.
std::string to_utf8(std::string_view bytes);

// For a terminal: control characters, backslashes and bad bytes as \n, \t, \\, \xNN. The result is one line, and no
// escape sequence gets through.
std::string printable(std::string_view bytes);

}  // namespace studio
