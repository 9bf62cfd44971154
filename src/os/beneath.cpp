#include "os/beneath.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "os/fd.hpp"

namespace studio::os {

namespace {

int open_by_openat2(int root, const std::string& relative, int flags) {
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, root, relative.c_str(), &how, sizeof how));
}

}  // namespace

int open_beneath(int root, const std::string& relative, int flags) {
  while (true) {
    const int fd = open_by_openat2(root, relative, flags);
    if (fd >= 0) return fd;
    // EAGAIN: something was renamed during the look-up. ENOSYS and EPERM: an old kernel, or a sandbox that does not
    // know the call.
    if (errno == ENOSYS || errno == EPERM) return open_by_components(root, relative, flags);
    if (errno != EINTR && errno != EAGAIN) return -1;
  }
}

int open_by_components(int root, const std::string& relative, int flags) {
  Fd reached;
  std::size_t at = 0;
  while (true) {
    const int from = reached ? reached.get() : root;
    const std::size_t slash = relative.find('/', at);
    const std::string name = relative.substr(at, slash - at);
    const bool last = slash == std::string::npos;
    const int fd = ::openat(from, name.c_str(), O_NOFOLLOW | O_CLOEXEC | (last ? flags : O_PATH | O_DIRECTORY));
    if (fd < 0) {
      // With O_DIRECTORY a symlink is ENOTDIR, as any file in the way is.
      struct stat info {};
      if (errno == ENOTDIR && ::fstatat(from, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0)
        errno = S_ISLNK(info.st_mode) ? ELOOP : ENOTDIR;
      return -1;
    }
    if (last) return fd;
    reached = Fd(fd);
    at = slash + 1;
  }
}

}  // namespace studio::os
