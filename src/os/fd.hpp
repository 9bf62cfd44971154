// A file descriptor that closes itself, and the calls on it that must not be cut short by signals or partial transfers.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace studio::os {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }
  void reset();

 private:
  int number_ = -1;
};

// Paths go to the kernel as they are; a `name` only goes into error messages.

// O_CLOEXEC is added. `directory` may be AT_FDCWD.
Result<Fd> open_at(int directory, const std::string& path, int flags, mode_t mode = 0);
inline Result<Fd> open(const std::string& path, int flags, mode_t mode = 0) {
  return open_at(AT_FDCWD, path, flags, mode);
}

// Reads until `buffer` is full or the file ends; returns the bytes read.
Result<std::size_t> read_at(const Fd& fd, std::uint64_t offset, std::span<std::byte> buffer, std::string_view name);
Result<void> write_all(const Fd& fd, ByteView bytes, std::string_view name);
Result<void> write_at(int fd, std::uint64_t offset, ByteView bytes, std::string_view name);
inline Result<void> write_at(const Fd& fd, std::uint64_t offset, ByteView bytes, std::string_view name) {
  return write_at(fd.get(), offset, bytes, name);
}
// ftruncate(2)
Result<void> set_length(int fd, std::uint64_t size, std::string_view name);
// One read(2), restarted after signals; 0 at the end.
Result<std::size_t> read_some(const Fd& fd, std::span<std::byte> buffer, std::string_view name);

// fsync(2). After an error the file must be given up: the kernel may have dropped its dirty pages.
Result<void> sync(const Fd& fd, std::string_view name);
// fsync of a directory, so that its entries are durable.
Result<void> sync_directory(const std::string& path);

Result<struct stat> status(const Fd& fd, std::string_view name);
// lstat(2)
Result<struct stat> status(const std::string& path);
bool exists(const std::string& path);  // lstat succeeds

// The whole of a small file. `most` bounds it; a larger file is `exhausted`.
Result<Bytes> read_file(const std::string& path, std::size_t most = std::size_t{64} << 20);
// The text of a file under /proc or /sys, or "" if it cannot be read.
std::string read_proc(const std::string& path);

// mkdir -p; new directories get `mode` less the umask. The path may exist.
Result<void> make_directories(const std::string& path, mode_t mode = 0777);
// The same, and the new entries are durable: an fsync of a directory does not make its own name durable.
Result<void> make_durable_directories(const std::string& path, mode_t mode = 0777);

// rm -rf of a file or a tree, however deep: never follows a symlink, makes read-only directories of ours writable on
// the way. What is not there is fine. (remove_tree.cpp)
Result<void> remove_tree(const std::string& path);

}  // namespace studio::os
