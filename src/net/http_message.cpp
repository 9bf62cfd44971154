#include "net/http_message.hpp"

#include <algorithm>

#include "base/letters.hpp"

namespace studio::net {

namespace {

// What comes before the separator, without blanks around it; takes it and the separator away.
std::string_view next_part(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  part.remove_prefix(std::min(part.find_first_not_of(" \t"), part.size()));
  return part.substr(0, part.find_last_not_of(" \t") + 1);
}

// Of what follows the name of a coding: "q=0.5". None is a weight of 1; what is no weight is none that is above 0.
bool is_above_zero(std::string_view weight) {
  if (weight.empty()) return true;
  return equal_but_for_case(next_part(weight, '='), "q") && weight.find_first_of("123456789") != weight.npos;
}

}  // namespace

std::string_view header_value(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (equal_but_for_case(key, name)) return value;
  return {};
}

bool accepts_coding(const Headers& headers, std::string_view coding) {
  bool are_others_taken = false;  // what "*" says
  for (const auto& [name, value] : headers) {
    if (!equal_but_for_case(name, "Accept-Encoding")) continue;
    for (std::string_view list = value; !list.empty();) {
      std::string_view weight = next_part(list, ',');
      const std::string_view listed = next_part(weight, ';');
      if (equal_but_for_case(listed, coding)) return is_above_zero(weight);
      if (listed == "*") are_others_taken = is_above_zero(weight);
    }
  }
  return are_others_taken;
}

bool is_header_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace studio::net
