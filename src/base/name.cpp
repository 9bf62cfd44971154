#include "base/name.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/concat.hpp"

namespace studio {

bool valid_name(std::string_view name, std::size_t longest) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= longest && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), allowed);
}

bool valid_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos && name.find('\0') == name.npos;
}

Result<void> check_name(std::string_view what, std::string_view name) {
  if (valid_name(name)) return {};
  return Error{Code::invalid, concat("'", name, "' is not a valid ", what),
               "use 1 to 100 letters, digits, '.', '_' or '-'"};
}

Result<std::string> make_key() {
  static constexpr std::string_view k_alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::array<unsigned char, 10> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    return Error{Code::internal, "cannot read the system's random source"};
  std::string key;
  for (const unsigned char byte : random) key.push_back(k_alphabet[byte % (key.empty() ? 26u : 32u)]);
  return key;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace studio
