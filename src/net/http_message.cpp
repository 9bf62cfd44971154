#include "net/http_message.hpp"

#include <algorithm>

#include "base/letters.hpp"

namespace studio::net {

std::string_view header_value(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (equal_but_for_case(key, name)) return value;
  return {};
}

bool is_header_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace studio::net
