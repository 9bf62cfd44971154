#include "os/fd.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/concat.hpp"
#include "os/error.hpp"
#include "os/paths.hpp"

namespace studio::os {

namespace {

template <class Call>
auto restarted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace

void Fd::reset() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

Result<Fd> open_at(int directory, const std::string& path, int flags, mode_t mode) {
  const int number = restarted([&] { return ::openat(directory, path.c_str(), flags | O_CLOEXEC, mode); });
  if (number < 0) return system_error((flags & O_CREAT) != 0 ? "create" : "open", path, errno);
  return Fd(number);
}

Result<std::size_t> read_at(const Fd& fd, std::uint64_t offset, std::span<std::byte> buffer, std::string_view name) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got = restarted([&] {
      return ::pread(fd.get(), buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    });
    if (got < 0) return system_error("read", name, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<std::size_t> read_some(const Fd& fd, std::span<std::byte> buffer, std::string_view name) {
  const ssize_t got = restarted([&] { return ::read(fd.get(), buffer.data(), buffer.size()); });
  if (got < 0) return system_error("read", name, errno);
  return static_cast<std::size_t>(got);
}

Result<void> write_all(const Fd& fd, ByteView bytes, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t put = restarted([&] { return ::write(fd.get(), bytes.data(), bytes.size()); });
    if (put < 0) return system_error("write", name, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> write_at(int fd, std::uint64_t offset, ByteView bytes, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t put = restarted([&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (put < 0) return system_error("write", name, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Result<void> set_length(int fd, std::uint64_t size, std::string_view name) {
  if (::ftruncate(fd, static_cast<off_t>(size)) != 0) return system_error("set the length of", name, errno);
  return {};
}

Result<void> sync(const Fd& fd, std::string_view name) {
  if (restarted([&] { return ::fsync(fd.get()); }) != 0) return system_error("sync", name, errno);
  return {};
}

Result<void> sync_directory(const std::string& path) {
  TRY_ASSIGN(const Fd directory, open(path, O_RDONLY | O_DIRECTORY));
  return sync(directory, path);
}

Result<struct stat> status(const Fd& fd, std::string_view name) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return system_error("stat", name, errno);
  return info;
}

Result<struct stat> status(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return system_error("stat", path, errno);
  return info;
}

bool exists(const std::string& path) { return status(path).has_value(); }

Result<Bytes> read_file(const std::string& path, std::size_t most) {
  TRY_ASSIGN(const Fd fd, open(path, O_RDONLY));
  Bytes bytes;
  std::size_t used = 0;
  while (true) {
    bytes.resize(std::max<std::size_t>(4096, bytes.size() * 2));
    TRY_ASSIGN(const std::size_t got, read_at(fd, used, std::span(bytes).subspan(used), path));
    used += got;
    if (used > most) return Error{Code::exhausted, concat("'", path, "' is larger than ", most, " bytes")};
    if (used < bytes.size()) break;
  }
  bytes.resize(used);
  return bytes;
}

std::string read_proc(const std::string& path) {
  const auto bytes = read_file(path);
  return bytes ? to_text(*bytes) : std::string();
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) return {};
  const int number = errno;
  struct stat info {};
  if (number == EEXIST) {
    if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
    return Error{Code::already_exists, concat("cannot create directory '", path, "': a file is in its place")};
  }
  const std::size_t slash = path.find_last_of('/');
  if (number != ENOENT || slash == std::string::npos || slash == 0)
    return system_error("create directory", path, number);
  TRY(make_directories(path.substr(0, slash), mode));
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return system_error("create directory", path, errno);
  return {};
}

Result<void> make_durable_directories(const std::string& path, mode_t mode) {
  if (::access(path.c_str(), F_OK) == 0) return make_directories(path, mode);  // an error if it is no directory
  const std::string parent = parent_of(path);
  if (parent != path) TRY(make_durable_directories(parent, mode));
  TRY(make_directories(path, mode));
  return sync_directory(parent);
}

}  // namespace studio::os
