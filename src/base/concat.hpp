// concat("cannot open '", path, "': ", 5): the parts as one string.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

namespace studio {

namespace detail {
inline void append_part(std::string& out, std::string_view text) { out.append(text); }
inline void append_part(std::string& out, char character) { out.push_back(character); }
template <class Number>
requires std::is_arithmetic_v<Number>
void append_part(std::string& out, Number number) { out.append(std::to_string(number)); }
}  // namespace detail

template <class... Parts>
std::string concat(const Parts&... parts) {
  std::string out;
  (detail::append_part(out, parts), ...);
  return out;
}

}  // namespace studio
