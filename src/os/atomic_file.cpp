#include "os/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

#include "base/concat.hpp"
#include "base/name.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"
#include "os/paths.hpp"

namespace studio::os {

namespace {

Result<void> move_into_place(const std::string& from, const std::string& to, Replace replace) {
  const auto move = [&] {
    if (replace == Replace::yes) return ::rename(from.c_str(), to.c_str());
    // link(2), unlike renameat2(RENAME_NOREPLACE), is exclusive on every file system, NFS included.
    return ::link(from.c_str(), to.c_str());
  };
  int result = move();
  if (result != 0 && errno == ENOENT) {
    TRY(make_directories(parent_of(to)));
    result = move();
  }
  if (result != 0) return system_error("create", to, errno);
  if (replace == Replace::no) ::unlink(from.c_str());
  return {};
}

Result<void> fill(const std::string& path, std::span<const ByteView> parts, Durable durable, mode_t mode) {
  TRY_ASSIGN(const Fd fd, open(path, O_WRONLY | O_CREAT | O_EXCL, mode));
  for (const ByteView part : parts) TRY(write_all(fd, part, path));
  if (durable == Durable::yes) TRY(sync(fd, path));
  return {};
}

}  // namespace

Result<void> write_file(const std::string& path, const std::string& staging, std::span<const ByteView> parts,
                        Replace replace, Durable durable, mode_t mode) {
  const std::string temporary = unique_path(staging, "new");
  auto written = fill(temporary, parts, durable, mode);
  if (written) written = move_into_place(temporary, path, replace);
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (durable == Durable::yes) TRY(sync_directory(parent_of(path)));
  return {};
}

std::string unique_path(const std::string& directory, std::string_view prefix) {
  static std::atomic<unsigned> counter{0};
  const auto random = make_key();
  return concat(directory, "/", prefix, "-", ::getpid(), "-", counter.fetch_add(1), "-",
                random ? *random : std::string("x"));
}

}  // namespace studio::os
