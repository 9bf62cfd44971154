// An exclusive lock that the kernel drops when its holder dies: flock(2) on a file that stays.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace studio::os {

class FileLock {
 public:
  // Creates the file (and its directory) if missing and waits for the lock.
  static Result<FileLock> acquire(const std::string& path);
  // Nothing if another holds it.
  static Result<std::optional<FileLock>> try_acquire(const std::string& path);

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  static Result<std::optional<FileLock>> lock(const std::string& path, int flags);
  Fd fd_;  // O_CLOEXEC: a child does not inherit the lock
};

}  // namespace studio::os
