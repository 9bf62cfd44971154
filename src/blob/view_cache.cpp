#include "blob/view_cache.hpp"

#include <algorithm>
#include <vector>

#include "base/concat.hpp"
#include "base/digest.hpp"

namespace studio::blob {

bool ViewCache::is_copied(std::string_view key) const {
  return key.starts_with(prefix_) && Digest::from_hex(key.substr(prefix_.size())).has_value();
}

void ViewCache::tell(const Result<void>& done) {
  if (!done && !told_.exchange(true))
    notice_(concat("no copies of the store's index are kept on this machine: ", done.error().message));
}

void ViewCache::keep(std::string_view key, std::span<const ByteView> parts) {
  const auto kept = copies_.put(key, parts, Condition::none());
  tell(kept ? Result<void>() : Result<void>(kept.error()));
}

Result<ObjectView> ViewCache::view(std::string_view key) {
  if (!is_copied(key)) return store_.view(key);
  const auto holds_what_it_says = [&](const Result<ObjectView>& object) {
    return object && Sha256::of(object->bytes()).hex() == key.substr(prefix_.size());
  };
  auto copy = copies_.view(key);
  if (holds_what_it_says(copy)) return copy;
  auto object = store_.view(key);
  // What is damaged there is for the caller to see; it gets no copy.
  if (!holds_what_it_says(object)) return object;
  const ByteView bytes = object->bytes();
  keep(key, std::span(&bytes, 1));
  return object;
}

Result<std::string> ViewCache::put(std::string_view key, std::span<const ByteView> parts, Condition condition) {
  auto etag = store_.put(key, parts, std::move(condition));
  if (etag && is_copied(key)) keep(key, parts);
  return etag;
}

Result<void> ViewCache::remove(std::string_view key) {
  TRY(store_.remove(key));
  if (is_copied(key)) tell(copies_.remove(key));
  return {};
}

Result<void> ViewCache::list(std::string_view prefix, const Visitor& visit) {
  if (prefix != prefix_) return store_.list(prefix, visit);
  std::vector<std::string> keys;
  TRY(store_.list(prefix, [&](const ObjectInfo& info) -> Result<void> {
    keys.push_back(info.key);
    return visit(info);
  }));
  remove_copies_but(keys);
  return {};
}

// In byte order, as they were listed.
void ViewCache::remove_copies_but(const std::vector<std::string>& keys) {
  tell(copies_.list(prefix_, [&](const ObjectInfo& copy) -> Result<void> {
    return std::ranges::binary_search(keys, copy.key) ? Result<void>() : copies_.remove(copy.key);
  }));
}

}  // namespace studio::blob
