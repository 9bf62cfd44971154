#include "os/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <ctime>

#include "base/concat.hpp"
#include "base/name.hpp"
#include "os/directory.hpp"
#include "os/error.hpp"
#include "os/paths.hpp"

namespace studio::os {

namespace {

enum class Durability { none, full };

Result<void> fill(const std::string& path, ByteView bytes, mode_t mode, Durability durability) {
  TRY_ASSIGN(const Fd fd, open(path, O_WRONLY | O_CREAT | O_EXCL, mode));
  TRY(write_all(fd, bytes, path));
  return durability == Durability::full ? sync(fd, path) : Result<void>();
}

Result<void> replace(const std::string& path, ByteView bytes, mode_t mode, Durability durability) {
  const std::string temporary = unique_path(parent_of(path), ".new");
  auto written = fill(temporary, bytes, mode, durability);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) written = system_error("create", path, errno);
  if (!written) ::unlink(temporary.c_str());
  TRY(written);
  return durability == Durability::full ? sync_directory(parent_of(path)) : Result<void>();
}

}  // namespace

Result<void> write_file(const std::string& path, ByteView bytes) {
  return replace(path, bytes, 0666, Durability::none);
}

Result<void> write_private_file(const std::string& path, ByteView bytes) {
  return replace(path, bytes, 0600, Durability::full);
}

std::string unique_path(const std::string& directory, std::string_view prefix) {
  static std::atomic<unsigned> counter{0};
  const auto random = make_key();
  return concat(directory, "/", prefix, "-", ::getpid(), "-", counter.fetch_add(1), "-",
                random ? *random : std::string("x"));
}

void remove_stale_files(const Fd& directory, std::string_view prefix) {
  constexpr ::time_t k_day = 24 * 60 * 60;
  const auto names = names_in(directory.get(), prefix);
  if (!names) return;
  for (const std::string& name : *names) {
    struct stat info {};
    if (name.starts_with(prefix) && ::fstatat(directory.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        info.st_mtim.tv_sec < ::time(nullptr) - k_day)
      ::unlinkat(directory.get(), name.c_str(), 0);
  }
}

}  // namespace studio::os
