#include "blob/store.hpp"

#include <cstring>
#include <utility>

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

Result<std::size_t> Store::get_into(std::string_view key, std::uint64_t offset, std::span<std::byte> buffer,
                                    ReadFrom /*from*/) {
  TRY_ASSIGN(const Bytes bytes, get(key, {offset, buffer.size()}));
  if (!bytes.empty()) std::memcpy(buffer.data(), bytes.data(), bytes.size());
  return bytes.size();
}

ObjectView::ObjectView(Bytes bytes) : owned_(std::move(bytes)), bytes_(owned_) {}

ObjectView::ObjectView(ByteView bytes, Release release) : release_(release), bytes_(bytes) {}

ObjectView::ObjectView(ObjectView&& other) noexcept
    : owned_(std::move(other.owned_)),
      release_(std::exchange(other.release_, nullptr)),
      bytes_(std::exchange(other.bytes_, {})) {}

ObjectView& ObjectView::operator=(ObjectView&& other) noexcept {
  std::swap(owned_, other.owned_);
  std::swap(release_, other.release_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

ObjectView::~ObjectView() {
  if (release_ != nullptr) release_(bytes_);
}

Result<ObjectView> Store::view(std::string_view key) {
  TRY_ASSIGN(Bytes bytes, get(key));
  return ObjectView(std::move(bytes));
}

}  // namespace studio::blob
