#include "blob/counting.hpp"

namespace studio::blob {

Counts CountingStore::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void CountingStore::reset() {
  const std::lock_guard lock(mutex_);
  counts_ = {};
}

void CountingStore::add(std::uint64_t Counts::*counter, std::uint64_t amount) {
  const std::lock_guard lock(mutex_);
  counts_.*counter += amount;
}

Result<ObjectInfo> CountingStore::stat(std::string_view key) {
  add(&Counts::stats);
  return inner_.stat(key);
}

Result<Bytes> CountingStore::get(std::string_view key, Range range) {
  add(&Counts::gets);
  auto bytes = inner_.get(key, range);
  if (bytes) add(&Counts::bytes_read, bytes->size());
  return bytes;
}

Result<std::size_t> CountingStore::get_into(std::string_view key, std::uint64_t offset, std::span<std::byte> buffer,
                                            ReadFrom from) {
  add(&Counts::gets);
  auto size = inner_.get_into(key, offset, buffer, from);
  if (size) add(&Counts::bytes_read, *size);
  return size;
}

Result<ObjectView> CountingStore::view(std::string_view key) {
  add(&Counts::views);
  return inner_.view(key);
}

Result<std::string> CountingStore::put(std::string_view key, std::span<const ByteView> parts, Condition condition) {
  add(&Counts::puts);
  auto etag = inner_.put(key, parts, std::move(condition));
  if (etag)
    for (const ByteView part : parts) add(&Counts::bytes_written, part.size());
  return etag;
}

Result<void> CountingStore::remove(std::string_view key) {
  add(&Counts::removes);
  return inner_.remove(key);
}

Result<void> CountingStore::list(std::string_view prefix, const Visitor& visit) {
  add(&Counts::lists);
  return inner_.list(prefix, [&](const ObjectInfo& info) {
    add(&Counts::listed);
    return visit(info);
  });
}

}  // namespace studio::blob
