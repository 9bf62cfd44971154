#include "os/file_lock.hpp"

#include <sys/file.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <thread>

#include "base/concat.hpp"
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

Result<FileLock> FileLock::acquire(const std::string& path, std::stop_token stop) {
  if (!stop.stop_possible()) {
    TRY_ASSIGN(auto held, lock(path, LOCK_EX));
    return std::move(*held);
  }
  // flock knows no timeout, and a signal to interrupt it with may be blocked.
  constexpr std::chrono::milliseconds k_pause{20};
  while (!stop.stop_requested()) {
    TRY_ASSIGN(auto held, try_acquire(path));
    if (held) return std::move(*held);
    std::this_thread::sleep_for(k_pause);
  }
  return Error{Code::cancelled, concat("stopped waiting for the lock '", path, "'")};
}

Result<std::optional<FileLock>> FileLock::try_acquire(const std::string& path) { return lock(path, LOCK_EX | LOCK_NB); }

bool is_on_network(const std::string& path) {
  // From statfs(2) and the kernel's linux/magic.h; of some only the file systems' own headers tell.
  constexpr std::array<std::uint32_t, 12> k_network{
      0x6969 /* NFS */,        0xff534d42 /* CIFS */, 0xfe534d42 /* SMB2 */,   0x517b /* SMB */,
      0x65735546 /* FUSE */,   0x00c36400 /* Ceph */, 0x0bd00bd0 /* Lustre */, 0x47504653 /* GPFS */,
      0x19830326 /* BeeGFS */, 0x01021997 /* 9P */,   0x5346414f /* AFS */,    0x7461636f /* OCFS2 */};
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0) return false;
  return std::find(k_network.begin(), k_network.end(), static_cast<std::uint32_t>(info.f_type)) != k_network.end();
}

}  // namespace studio::os
