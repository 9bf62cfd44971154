// A directory whose files are reached by descriptor: no path below it leads out of it, whatever symlinks lie there.
#pragma once

#include <string>

#include "base/result.hpp"
#include "os/beneath.hpp"
#include "os/fd.hpp"

namespace studio::blob {

// Paths are relative to the root, without "..", and never follow a symlink below it: one is `unsupported`. "" is the
// root itself. The root may be reached through symlinks, and stays the same directory when it is renamed. Thread-safe.
class RootDirectory {
 public:
  // Makes it, durably, if it is missing.
  static Result<RootDirectory> open(const std::string& path);

  // open(2) below the root; `flags` without O_CREAT. Never waits for the other end of a FIFO.
  Result<os::Fd> open_file(const std::string& relative, int flags) const;
  Result<os::Fd> open_directory(const std::string& relative) const {
    return open_file(relative, O_RDONLY | O_DIRECTORY);
  }
  // The same; missing directories are made, durable only after sync_up(). `invalid` if a file is in the place of one,
  // `not_found` if another process removes them at the same moment.
  Result<os::Fd> make_directory(const std::string& relative) const;
  // fsyncs the directory and all above it, the root included: whoever made them, they are durable then.
  Result<void> sync_up(std::string relative) const;
  // Removes the directory if it is empty, then those above it that became so, but not the root. Best effort.
  void prune(std::string relative) const;

  const std::string& path() const { return path_; }  // absolute
  std::string path_of(std::string_view relative) const;
  Error symlink_error(std::string_view relative) const;

 private:
  RootDirectory(os::Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  os::Fd fd_;
  std::string path_;
};

// The directory part of a relative path; "" if it has none.
std::string directory_of(std::string_view relative);

}  // namespace studio::blob
