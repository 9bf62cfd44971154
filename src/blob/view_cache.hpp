// Copies of what is looked at again and again, on this machine: for a store that is far away.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "blob/store.hpp"

namespace studio::blob {

// A store of which the objects PREFIX + DIGEST, which hold what has that digest (64 hexadecimal digits of SHA-256), are
// viewed in copies. Everything else goes to the store itself. A copy is compared with its digest before it is handed
// on, made of what is put or viewed, and removed when a list of the prefix does not name it any more. That the copies
// cannot be kept costs time only: `notice` tells of it, once.
class ViewCache final : public Store {
 public:
  using Notice = std::function<void(const std::string&)>;

  // Borrows both.
  ViewCache(Store& store, Store& copies, std::string prefix, Notice notice)
      : store_(store), copies_(copies), prefix_(std::move(prefix)), notice_(std::move(notice)) {}

  Result<ObjectInfo> stat(std::string_view key) override { return store_.stat(key); }
  Result<Bytes> get(std::string_view key, Range range) override { return store_.get(key, range); }
  Result<std::size_t> get_into(std::string_view key, std::uint64_t offset, std::span<std::byte> buffer,
                               ReadFrom from) override {
    return store_.get_into(key, offset, buffer, from);
  }
  Result<ObjectView> view(std::string_view key) override;
  Result<std::string> put(std::string_view key, std::span<const ByteView> parts, Condition condition) override;
  Result<void> remove(std::string_view key) override;
  Result<void> list(std::string_view prefix, const Visitor& visit) override;

 private:
  bool is_copied(std::string_view key) const;
  void keep(std::string_view key, std::span<const ByteView> parts);
  void remove_copies_but(const std::vector<std::string>& keys);
  void tell(const Result<void>& done);

  Store& store_;
  Store& copies_;
  const std::string prefix_;
  const Notice notice_;
  std::atomic<bool> told_ = false;
};

}  // namespace studio::blob
