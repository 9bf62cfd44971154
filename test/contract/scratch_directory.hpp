// A directory of its own for one test, removed with the value.
#pragma once

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "base/concat.hpp"
#include "os/fd.hpp"

namespace studio::test {

class ScratchDirectory {
 public:
  ScratchDirectory() : path_(testing::TempDir() + "studio-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() { (void)os::remove_tree(path_); }

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return concat(path_, "/", name); }

  // Makes the file; returns its path.
  std::string write(std::string_view name, std::string_view text, mode_t mode = 0644) const {
    const std::string path = *this / name;
    std::ofstream(path, std::ios::binary) << text;
    if (::chmod(path.c_str(), mode) != 0) std::abort();
    return path;
  }

 private:
  std::string path_;
};

// A small tmpfs: a disk that a test may fill or make read-only. Needs root; mounted() tells.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& options)
      : mounted_(::mount("studio-test", directory_.path().c_str(), "tmpfs", 0, options.c_str()) == 0) {}
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(directory_.path().c_str(), MNT_DETACH);
  }

  bool mounted() const { return mounted_; }
  bool make_read_only() const {
    return ::mount(nullptr, directory_.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }
  std::string operator/(const std::string& name) const { return directory_ / name; }

 private:
  ScratchDirectory directory_;
  bool mounted_;
};

}  // namespace studio::test
