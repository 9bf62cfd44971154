// Attributes, permissions and times of what is restored.
#pragma once

#include <sys/stat.h>

#include <array>
#include <string>

#include "content/restore_log.hpp"
#include "content/tree.hpp"
#include "os/fd.hpp"

namespace studio::content {

// For utimensat(2): the time of access stays.
std::array<struct timespec, 2> times_of(std::int64_t modified_ns);

// Whether a file has the size and the time of `entry`.
bool has_stamp_of(const TreeEntry& entry, const struct stat& info);

// The permissions that `entry` gets: a program that ran as whoever owned it at the capture must not run as whoever
// restores it; no write permission if `read_only`.
mode_t restored_mode(const TreeEntry& entry, bool read_only);

// Extended attributes, mode and times of the open file or directory. Errors go to the log.
void set_metadata(const os::Fd& file, const TreeEntry& entry, const std::string& path, bool read_only, RestoreLog& log);

// A directory that is being filled: when all who fill it have let go of it, it gets its metadata.
class FilledDirectory {
 public:
  FilledDirectory(TreeEntry entry, std::string path, bool read_only, RestoreLog& log)
      : entry_(std::move(entry)), path_(std::move(path)), read_only_(read_only), log_(log) {}
  ~FilledDirectory();
  FilledDirectory(const FilledDirectory&) = delete;
  FilledDirectory& operator=(const FilledDirectory&) = delete;

  // Nobody will be added to those who fill it. One that is dropped without this stays as it is.
  void complete(os::Fd directory) { directory_ = std::move(directory); }

 private:
  TreeEntry entry_;
  std::string path_;
  bool read_only_;
  RestoreLog& log_;
  os::Fd directory_;
};

}  // namespace studio::content
