#include "blob/store.hpp"

#include <cstring>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"

namespace studio::blob {

namespace {

constexpr std::size_t k_longest_key = 512;
constexpr std::size_t k_longest_component = 255;  // NAME_MAX of every file system we know

}  // namespace

bool valid_key(std::string_view key) {
  if (key.size() > k_longest_key || key.starts_with('.')) return false;
  while (true) {
    const std::size_t slash = key.find('/');
    if (!valid_name(key.substr(0, slash), k_longest_component)) return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

Result<void> check_key(std::string_view key) {
  if (valid_key(key)) return {};
  return Error{Code::invalid, concat("'", printable(key), "' is not a valid object key")};
}

Result<std::size_t> Store::get_into(std::string_view key, std::uint64_t offset, std::span<std::byte> buffer) {
  TRY_ASSIGN(const Bytes bytes, get(key, {offset, buffer.size()}));
  if (!bytes.empty()) std::memcpy(buffer.data(), bytes.data(), bytes.size());
  return bytes.size();
}

}  // namespace studio::blob
