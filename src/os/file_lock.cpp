#include "os/file_lock.hpp"

#include <sys/file.h>

#include <cerrno>

#include "os/error.hpp"
#include "os/paths.hpp"

namespace studio::os {

Result<std::optional<FileLock>> FileLock::lock(const std::string& path, int flags) {
  while (true) {
    auto fd = open(path, O_RDWR | O_CREAT, 0666);
    if (!fd && fd.error().code == Code::not_found) {
      TRY(make_directories(parent_of(path)));
      fd = open(path, O_RDWR | O_CREAT, 0666);
    }
    if (!fd) return fd.error();
    int result = ::flock(fd->get(), flags);
    while (result != 0 && errno == EINTR) result = ::flock(fd->get(), flags);
    if (result != 0 && errno == EWOULDBLOCK) return std::optional<FileLock>();
    if (result != 0) return system_error("lock", path, errno);
    // Someone may have removed the file while we waited: a lock on a file without a name excludes nobody.
    struct stat ours {};
    struct stat named {};
    if (::fstat(fd->get(), &ours) == 0 && ::stat(path.c_str(), &named) == 0 && ours.st_ino == named.st_ino &&
        ours.st_dev == named.st_dev)
      return std::optional<FileLock>(FileLock(std::move(*fd)));
  }
}

Result<FileLock> FileLock::acquire(const std::string& path) {
  TRY_ASSIGN(auto held, lock(path, LOCK_EX));
  return std::move(*held);
}

Result<std::optional<FileLock>> FileLock::try_acquire(const std::string& path) { return lock(path, LOCK_EX | LOCK_NB); }

}  // namespace studio::os
