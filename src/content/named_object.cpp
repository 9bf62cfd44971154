#include "content/named_object.hpp"

#include "blob/parts.hpp"

namespace studio::content {

Result<void> put_named(blob::Store& store, const std::string& key, std::span<const ByteView> parts) {
  const auto put = store.put(key, parts, blob::Condition::if_absent());
  if (put) return {};
  if (put.error().code != Code::already_exists) return put.error();
  const auto present = store.get(key);
  if (present && blob::is_concatenation(*present, parts)) return {};
  if (!present && present.error().code != Code::not_found && !is_damage(present.error())) return present.error();
  const auto replaced = store.put(key, parts, blob::Condition::none());
  if (!replaced) return replaced.error();
  return {};
}

}  // namespace studio::content
