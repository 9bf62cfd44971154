#include "os/directory.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <array>
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

// Not readdir(3), which needs memory for each directory.
Result<std::size_t> count_names(int directory) {
  std::size_t count = 0;
  while (true) {
    alignas(dirent64) std::array<std::byte, 32 << 10> buffer;
    const ssize_t size = ::getdents64(directory, buffer.data(), buffer.size());
    if (size < 0) return system_error("read", "directory", errno);
    if (size == 0) return count;
    for (ssize_t at = 0; at < size;) {
      const auto* const entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") ++count;
      at += entry->d_reclen;
    }
  }
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
