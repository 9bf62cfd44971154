// A store that counts what is asked of it: a test states what an operation may cost.
#pragma once

#include <mutex>

#include "blob/store.hpp"

namespace studio::blob {

struct Counts {
  std::uint64_t stats = 0;
  std::uint64_t gets = 0;
  std::uint64_t puts = 0;
  std::uint64_t removes = 0;
  std::uint64_t lists = 0;
  std::uint64_t listed = 0;         // objects visited
  std::uint64_t bytes_read = 0;     // handed out by get() and get_into()
  std::uint64_t bytes_written = 0;  // of puts that succeeded
  std::uint64_t views = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};

// Borrows `inner`. Calls are counted whether they succeed or not.
class CountingStore final : public Store {
 public:
  explicit CountingStore(Store& inner) : inner_(inner) {}

  Result<ObjectInfo> stat(std::string_view key) override;
  Result<Bytes> get(std::string_view key, Range range) override;
  Result<std::size_t> get_into(std::string_view key, std::uint64_t offset, std::span<std::byte> buffer,
                               ReadFrom from) override;
  Result<ObjectView> view(std::string_view key) override;
  Result<std::string> put(std::string_view key, std::span<const ByteView> parts, Condition condition) override;
  Result<void> remove(std::string_view key) override;
  Result<void> list(std::string_view prefix, const Visitor& visit) override;

  Counts counts() const;
  void reset();

 private:
  void add(std::uint64_t Counts::*counter, std::uint64_t amount = 1);

  Store& inner_;
  mutable std::mutex mutex_;
  Counts counts_;
};

}  // namespace studio::blob
