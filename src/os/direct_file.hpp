// Writing and reading a file past the page cache (O_DIRECT, open(2)): the cache is left to others, and the disk streams
// without a copy.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "os/fd.hpp"

namespace studio::os {

// A file of a known size that is written in whole blocks. Where the file system cannot write past the cache, the same
// calls write as usual.
class DirectFile {
 public:
  // What memory, offsets and lengths are multiples of.
  static constexpr std::size_t k_block = 4096;
  static constexpr std::uint64_t whole_blocks(std::uint64_t size) { return (size + k_block - 1) / k_block * k_block; }

  // `file` is empty and open for writing; borrowed. Room is made for `size` bytes: a full disk shows at once
  // (`exhausted`), and writes from several threads do not wait for each other to make the file longer.
  static Result<DirectFile> begin(const Fd& file, std::uint64_t size, std::string_view name);
  DirectFile(DirectFile&& other) noexcept : file_(other.file_), direct_(other.direct_.load()) {}
  DirectFile& operator=(DirectFile&&) = delete;

  // Whether all that was written went past the cache.
  bool is_direct() const { return direct_; }

  // Thread-safe. The last block may reach beyond the size: set_length() cuts that off at the end.
  Result<void> write(std::uint64_t offset, ByteView blocks, std::string_view name);

 private:
  DirectFile(const Fd& file, bool direct) : file_(file.get()), direct_(direct) {}

  int file_;
  std::atomic<bool> direct_;
};

// read_at() past the cache, as far as whole blocks go and `buffer` begins at one; where the file system cannot, as
// usual. Nobody else reads from `fd` meanwhile.
Result<std::size_t> read_direct(const Fd& fd, std::uint64_t offset, std::span<std::byte> buffer, std::string_view name);

// Writes all of a new file in this way: the parts, `size` bytes in all, one behind the other.
Result<void> write_direct(const Fd& file, std::span<const ByteView> parts, std::uint64_t size, std::string_view name);

}  // namespace studio::os
