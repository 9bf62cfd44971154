// Text line by line.
#pragma once

#include <algorithm>
#include <string_view>

namespace studio {

// Takes the next line off the front of `text`, all of it if there is no line break; it comes without its line break.
inline std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace studio
