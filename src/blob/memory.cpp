#include "blob/memory.hpp"

#include <algorithm>

#include "base/concat.hpp"

namespace studio::blob {

namespace {

Bytes joined(std::span<const ByteView> parts) {
  Bytes bytes;
  for (const ByteView part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

}  // namespace

ObjectInfo MemoryStore::info_of(const Objects::value_type& entry) {
  return {entry.first, entry.second.bytes.size(), entry.second.modified, entry.second.etag};
}

Result<MemoryStore::Objects::const_iterator> MemoryStore::find(std::string_view key) const {
  TRY(check_key(key));
  const auto found = objects_.find(key);
  if (found == objects_.end()) return Error{Code::not_found, concat("no object '", key, "' in memory")};
  return found;
}

Result<ObjectInfo> MemoryStore::stat(std::string_view key) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const auto found, find(key));
  return info_of(*found);
}

Result<Bytes> MemoryStore::get(std::string_view key, Range range) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const auto found, find(key));
  const Bytes& bytes = found->second.bytes;
  if (range.offset > bytes.size())
    return Error{Code::invalid, concat("offset ", range.offset, " is beyond the end of object '", key, "'")};
  const ByteView rest = ByteView(bytes).subspan(range.offset);
  const ByteView wanted = rest.first(std::min<std::uint64_t>(range.length, rest.size()));
  return Bytes(wanted.begin(), wanted.end());
}

Result<std::string> MemoryStore::put(std::string_view key, std::span<const ByteView> parts, Condition condition) {
  TRY(check_key(key));
  Object object{joined(parts), SystemClock().now(), {}};
  const std::lock_guard lock(mutex_);
  TRY(check_condition(key, condition));
  TRY(check_directories(key));
  object.etag = concat("m", ++puts_);
  return objects_.insert_or_assign(std::string(key), std::move(object)).first->second.etag;
}

Result<void> MemoryStore::check_condition(std::string_view key, const Condition& condition) const {
  const auto found = objects_.find(key);
  if (condition.kind == Condition::Kind::if_absent && found != objects_.end())
    return Error{Code::already_exists, concat("object '", key, "' already exists in memory")};
  if (condition.kind == Condition::Kind::if_match && (found == objects_.end() || found->second.etag != condition.etag))
    return Error{Code::conflict, concat("object '", key, "' has changed in memory")};
  return {};
}

// Like a file system: a test that passes on this store must not fail on a disk.
Result<void> MemoryStore::check_directories(std::string_view key) const {
  const std::string as_directory = concat(key, '/');
  const auto below = objects_.lower_bound(as_directory);
  bool clash = below != objects_.end() && below->first.starts_with(as_directory);
  for (std::size_t slash = key.find('/'); slash != std::string_view::npos; slash = key.find('/', slash + 1))
    clash = clash || objects_.contains(key.substr(0, slash));
  if (clash) return Error{Code::invalid, concat("object '", key, "' and another would be each other's directory")};
  return {};
}

Result<void> MemoryStore::remove(std::string_view key) {
  TRY(check_key(key));
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found != objects_.end()) objects_.erase(found);
  return {};
}

Result<void> MemoryStore::list(std::string_view prefix, const Visitor& visit) {
  std::unique_lock lock(mutex_);
  auto next = objects_.lower_bound(prefix);
  while (next != objects_.end() && next->first.starts_with(prefix)) {
    const ObjectInfo info = info_of(*next);
    lock.unlock();
    TRY(visit(info));
    lock.lock();
    next = objects_.upper_bound(info.key);
  }
  return {};
}

}  // namespace studio::blob
