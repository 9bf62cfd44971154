// URLs of HTTP (RFC 3986; RFC 9110, 4.2), and the target of a request (RFC 9112, 3.2.1).
#pragma once

#include <cstdint>
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

struct Url {
  bool is_tls = false;  // "https"
  std::string host;     // lower case; an IPv6 address without its brackets
  std::uint16_t port = 0;
  std::string path;  // as it was written, without a '/' at its end: "/prefix", or ""

  // "host:port" as it stands in a URL; the port is left out if it is the scheme's.
  std::string authority() const;
};

// "http://host", "https://host:8443/prefix", "http://[::1]:80/". `invalid`, saying why, if it is something else:
// another scheme, a user or password, a query or fragment.
Result<Url> parse_url(std::string_view text);

// Nothing if a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text);
// Everything but letters, digits and "-._~" is encoded.
std::string percent_encoded(std::string_view text);

// `invalid` unless it begins with '/', is well encoded, and no component of its path holds a '/' or NUL or is "." or
// "..": whoever sends one of those means to leave the place that the path is of.
Result<Target> parse_target(std::string_view text);

}  // namespace studio::net
