#include "os/directory.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "os/error.hpp"

namespace studio::os {

Result<std::vector<std::string>> names_in(int directory, std::string_view name) {
  const int copy = ::fcntl(directory, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return system_error("read directory", name, errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), ::closedir);
  ::rewinddir(stream.get());
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view found = entry->d_name;
    if (found != "." && found != "..") names.emplace_back(found);
    errno = 0;
  }
  if (errno != 0) return system_error("read directory", name, errno);
  std::sort(names.begin(), names.end());
  return names;
}

DirectoryStack::DirectoryStack(Fd root) {
  struct stat info {};
  ::fstat(root.get(), &info);
  levels_.push_back({std::move(root), id_of(info)});
}

Result<void> DirectoryStack::push(const std::string& name) {
  TRY_ASSIGN(Fd fd, open_at(top(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK));
  TRY_ASSIGN(const struct stat info, status(fd, name));
  levels_.push_back({std::move(fd), id_of(info)});
  if (levels_.size() > k_most_open) levels_[levels_.size() - 1 - k_most_open].fd.reset();
  return {};
}

Result<void> DirectoryStack::pop() {
  Level& parent = levels_[levels_.size() - 2];
  if (!parent.fd) {
    TRY_ASSIGN(Fd fd, open_at(top(), "..", O_RDONLY | O_DIRECTORY));
    TRY_ASSIGN(const struct stat info, status(fd, ".."));
    if (id_of(info) != parent.id) return Error{Code::conflict, "a directory was moved away while it was walked"};
    parent.fd = std::move(fd);
  }
  levels_.pop_back();
  return {};
}

}  // namespace studio::os
