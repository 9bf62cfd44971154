#include "content/restored_metadata.hpp"

#include <sys/xattr.h>

#include <cerrno>

#include "content/file_reader.hpp"
#include "os/error.hpp"

namespace studio::content {

std::array<struct timespec, 2> times_of(std::int64_t modified_ns) {
  const auto [seconds, rest] = split_time(modified_ns);
  return {{{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = rest}}};
}

bool has_stamp_of(const TreeEntry& entry, const struct stat& info) {
  return static_cast<std::uint64_t>(info.st_size) == entry.size && modified_ns(info) == entry.modified_ns;
}

mode_t restored_mode(const TreeEntry& entry, bool read_only) {
  constexpr mode_t k_write_bits = 0222;
  mode_t mode = entry.mode;
  if (has_bytes(entry.type)) mode &= ~mode_t{S_ISUID | S_ISGID};
  return read_only ? mode & ~k_write_bits : mode;
}

// Mode last: a read-only file still takes attributes and times from its owner, but not the other way round on every
// file system.
void set_metadata(const os::Fd& file, const TreeEntry& entry, const std::string& path, bool read_only,
                  RestoreLog& log) {
  int failed = 0;
  for (const auto& [name, value] : entry.attributes)
    if (::fsetxattr(file.get(), name.c_str(), value.data(), value.size(), 0) != 0) failed = errno;
  // Not every file system has them.
  if (failed != 0 && failed != ENOTSUP)
    log.add_problem(path, os::system_error("set an extended attribute of", entry.name, failed).message);
  if (::fchmod(file.get(), restored_mode(entry, read_only)) != 0)
    return log.fail(path, os::system_error("set the mode of", entry.name, errno));
  const auto times = times_of(entry.modified_ns);
  if (::futimens(file.get(), times.data()) != 0)
    log.fail(path, os::system_error("set the times of", entry.name, errno));
}

FilledDirectory::~FilledDirectory() {
  if (directory_) set_metadata(directory_, entry_, path_, read_only_, log_);
}

}  // namespace studio::content
