// A store in memory, for tests and as the reference of what a store does.
#pragma once

#include <map>
#include <mutex>

#include "blob/store.hpp"

namespace studio::blob {

// Lives as long as the value. Visitors may call the store.
class MemoryStore final : public Store {
 public:
  Result<ObjectInfo> stat(std::string_view key) override;
  Result<Bytes> get(std::string_view key, Range range) override;
  Result<std::string> put(std::string_view key, std::span<const ByteView> parts, Condition condition) override;
  Result<void> remove(std::string_view key) override;
  Result<void> list(std::string_view prefix, const Visitor& visit) override;

 private:
  struct Object {
    Bytes bytes;
    WallTime modified;
    std::string etag;
  };
  using Objects = std::map<std::string, Object, std::less<>>;

  static ObjectInfo info_of(const Objects::value_type& entry);
  Result<Objects::const_iterator> find(std::string_view key) const;
  Result<void> check_condition(std::string_view key, const Condition& condition) const;
  Result<void> check_directories(std::string_view key) const;

  mutable std::mutex mutex_;
  Objects objects_;
  std::uint64_t puts_ = 0;  // the etag: no two contents ever share one
};

}  // namespace studio::blob
