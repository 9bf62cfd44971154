// An exclusive lock that the kernel drops when its holder dies: flock(2) on a file that stays.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace studio::os {

class FileLock {
 public:
  // Creates the file (and its directory) if missing and waits for the lock; `cancelled` if `stop` is requested first.
  static Result<FileLock> acquire(const std::string& path, std::stop_token stop = {});
  // Nothing if another holds it.
  static Result<std::optional<FileLock>> try_acquire(const std::string& path);

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  static Result<std::optional<FileLock>> lock(const std::string& path, int flags);
  Fd fd_;  // O_CLOEXEC: a child does not inherit the lock
};

// Whether `path` lies on a file system that other machines may write to: there a lock may be unknown to them.
bool is_on_network(const std::string& path);

}  // namespace studio::os
