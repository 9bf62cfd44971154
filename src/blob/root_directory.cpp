#include "blob/root_directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "os/atomic_file.hpp"
#include "os/beneath.hpp"
#include "os/error.hpp"
#include "os/paths.hpp"

namespace studio::blob {

Result<RootDirectory> RootDirectory::open(const std::string& path) {
  if (path.empty()) return Error{Code::invalid, "a store needs a path", "set storage.path"};
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.pop_back();
  TRY(os::make_durable_directories(trimmed));
  TRY_ASSIGN(os::Fd fd, os::open(trimmed, O_RDONLY | O_DIRECTORY));
  TRY_ASSIGN(std::string absolute, os::real_path(trimmed, "open"));
  return RootDirectory(std::move(fd), std::move(absolute));
}

Result<os::Fd> RootDirectory::open_file(const std::string& relative, int flags) const {
  const std::string path = relative.empty() ? "." : relative;
  const int fd = os::open_beneath(fd_.get(), path, flags | ((flags & O_PATH) != 0 ? 0 : O_NONBLOCK));
  if (fd >= 0) return os::Fd(fd);
  return errno == ELOOP ? symlink_error(relative) : os::system_error("open", path_of(relative), errno);
}

Error RootDirectory::symlink_error(std::string_view relative) const {
  return {Code::unsupported,
          concat("'", printable(path_of(relative)), "' leads through a symbolic link, which a store does not follow"),
          "to keep a store elsewhere, set storage.path or make the store's own directory the link"};
}

Result<os::Fd> RootDirectory::make_directory(const std::string& relative) const {
  auto found = open_directory(relative);
  if (found || found.error().code != Code::not_found || relative.empty()) return found;
  const std::string parent = directory_of(relative);
  TRY_ASSIGN(const os::Fd above, make_directory(parent));
  const std::string name = parent.empty() ? relative : relative.substr(parent.size() + 1);
  if (::mkdirat(above.get(), name.c_str(), 0777) == 0) return open_directory(relative);
  if (errno != EEXIST) return os::system_error("create directory", path_of(relative), errno);
  struct stat info {};
  if (::fstatat(above.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode))
    return Error{Code::invalid, concat("cannot create directory '", path_of(relative), "': an object is in its place")};
  return open_directory(relative);
}

Result<void> RootDirectory::sync_up(std::string relative) const {
  while (true) {
    TRY_ASSIGN(const os::Fd directory, open_directory(relative));
    TRY(os::sync(directory, path_of(relative)));
    if (relative.empty()) return {};
    relative = directory_of(relative);
  }
}

void RootDirectory::prune(std::string relative) const {
  while (!relative.empty()) {
    const std::string parent = directory_of(relative);
    const auto above = open_directory(parent);
    const std::string name = parent.empty() ? relative : relative.substr(parent.size() + 1);
    if (!above || ::unlinkat(above->get(), name.c_str(), AT_REMOVEDIR) != 0) return;
    relative = parent;
  }
}

std::string RootDirectory::path_of(std::string_view relative) const {
  return relative.empty() ? path_ : concat(path_, "/", relative);
}

std::string directory_of(std::string_view relative) {
  const std::size_t slash = relative.rfind('/');
  return std::string(relative.substr(0, slash == std::string_view::npos ? 0 : slash));
}

}  // namespace studio::blob
