// Walking directories by descriptor: no path is ever joined, so no length limit and no race with renamed parents.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace studio::os {

// What tells one file from another on this machine.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const FileId&, const FileId&) = default;
};
inline FileId id_of(const struct stat& info) { return {info.st_dev, info.st_ino}; }

// The names in a directory, without "." and "..", in byte order. Moves the position of `directory`, which must be open
// for reading.
Result<std::vector<std::string>> names_in(int directory, std::string_view name);

// How many there are; from the position of `directory` on, which is moved to the end.
Result<std::size_t> count_names(int directory);

// A path of open directories from a root down. However deep it is, at most k_most_open descriptors are held: those
// further up are closed, and found again by "..", which must lead to the same directory as before.
class DirectoryStack {
 public:
  explicit DirectoryStack(Fd root);

  int top() const { return levels_.back().fd.get(); }
  // Opens `name` in the top directory, never through a symlink.
  Result<void> push(const std::string& name);
  // `conflict` if the parent was moved away meanwhile. Not to be called at the root.
  Result<void> pop();

  static constexpr std::size_t k_most_open = 64;

 private:
  struct Level {
    Fd fd;
    FileId id;
  };
  std::vector<Level> levels_;
};

}  // namespace studio::os
