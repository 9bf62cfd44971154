// The target of an HTTP request (RFC 9112, 3.2.1; RFC 3986).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace studio::net {

struct Target {
  // Decoded components of the path, any bytes: "/a/b%20c" is {"a", "b c"}, "/a/" is {"a", ""}, "/" is {""}.
  std::vector<std::string> path;
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order

  // The first of that name.
  std::optional<std::string> parameter(std::string_view name) const;
};

// Nothing if a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text);
// Everything but letters, digits and "-._~" is encoded.
std::string percent_encoded(std::string_view text);

// `invalid` unless it begins with '/', is well encoded, and no component of its path holds a '/' or NUL or is "." or
// "..": whoever sends one of those means to leave the place that the path is of.
Result<Target> parse_target(std::string_view text);

}  // namespace studio::net
