#include "blob/store.hpp"

#include <algorithm>

#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::blob {

namespace {

constexpr std::size_t k_longest_key = 512;
constexpr std::size_t k_longest_component = 255;  // NAME_MAX of every file system we know

bool valid_component(std::string_view component) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !component.empty() && component != "." && component != ".." && component.size() <= k_longest_component &&
         std::all_of(component.begin(), component.end(), allowed);
}

}  // namespace

bool valid_key(std::string_view key) {
  if (key.size() > k_longest_key || key.starts_with('.')) return false;
  while (true) {
    const std::size_t slash = key.find('/');
    if (!valid_component(key.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

Result<void> check_key(std::string_view key) {
  if (valid_key(key)) return {};
  return Error{Code::invalid, concat("'", printable(key), "' is not a valid object key")};
}

}  // namespace studio::blob
