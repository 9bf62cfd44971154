#include "blob/local.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "os/atomic_file.hpp"
#include "os/direct_file.hpp"
#include "os/directory.hpp"
#include "os/error.hpp"
#include "os/file_lock.hpp"
#include "os/paths.hpp"

namespace studio::blob {

namespace {

constexpr std::string_view k_staging = ".staging";
constexpr std::string_view k_lock = ".lock";
// Packs, which are written once and read in weeks: what others read now stays in the page cache.
constexpr std::uint64_t k_large = 1 << 20;
constexpr int k_most_tries = 100;  // against others who remove the directory that a new object needs

WallTime time_of(const struct timespec& time) {
  return WallTime(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

// A replaced object is another inode; where the inode's number is used again at once, the mtime tells (see
// StagedFile::write).
std::string etag_of(const struct stat& info) {
  return concat(info.st_size, '-', time_of(info.st_mtim).time_since_epoch().count(), '-', info.st_ino, '-',
                time_of(info.st_ctim).time_since_epoch().count());
}

ObjectInfo info_of(std::string key, const struct stat& info) {
  return {std::move(key), static_cast<std::uint64_t>(info.st_size), time_of(info.st_mtim), etag_of(info)};
}

Error clash_error(std::string_view key) {
  return {Code::invalid, concat("object '", key, "' and another would be each other's directory")};
}

Error exists_error(std::string_view key, const std::string& root) {
  return {Code::already_exists, concat("object '", key, "' already exists in '", printable(root), "'")};
}

// What has no other name among the errors of reading an open file is EIO, EBADMSG or EUCLEAN: this file is damaged, the
// store is not out of reach.
Error read_error(Error error) {
  if (error.code == Code::internal) error.code = Code::corrupt;
  return error;
}

}  // namespace

// A complete new file that has no key yet. Removed with the value unless it was moved.
class LocalStore::StagedFile {
 public:
  StagedFile(os::Fd directory, os::Fd fd, std::string name)
      : directory_(std::move(directory)), fd_(std::move(fd)), name_(std::move(name)) {}
  StagedFile(StagedFile&& other) noexcept
      : directory_(std::move(other.directory_)), fd_(std::move(other.fd_)), name_(std::exchange(other.name_, {})) {}
  StagedFile& operator=(StagedFile&&) = delete;
  ~StagedFile() { unlink(); }

  const os::Fd& fd() const { return fd_; }

  Result<void> write(std::span<const ByteView> parts, std::string_view path) {
    std::uint64_t size = 0;
    for (const ByteView part : parts) size += part.size();
    if (size >= k_large) {
      TRY(os::write_direct(fd_, parts, size, path));
    } else {
      for (const ByteView part : parts) TRY(os::write_all(fd_, part, path));
    }
    // File systems stamp with a clock that stands still for milliseconds. A precise stamp makes the etag one of a kind.
    struct timespec times[2] = {{0, UTIME_OMIT}, {0, 0}};
    ::clock_gettime(CLOCK_REALTIME, &times[1]);
    if (::futimens(fd_.get(), times) != 0) return os::system_error("set the time of", path, errno);
    return os::sync(fd_, path);
  }

  // 0 or errno
  int replace(const os::Fd& directory, const std::string& name) {
    if (::renameat(directory_.get(), name_.c_str(), directory.get(), name.c_str()) != 0) return errno;
    name_.clear();
    return 0;
  }

  // 0 or errno, EEXIST if the name is taken.
  int move_if_absent(const os::Fd& directory, const std::string& name) {
    if (::renameat2(directory_.get(), name_.c_str(), directory.get(), name.c_str(), RENAME_NOREPLACE) == 0) {
      name_.clear();
      return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) return errno;
    // Network file systems do not know that flag, but link(2).
    if (::linkat(directory_.get(), name_.c_str(), directory.get(), name.c_str(), 0) != 0) return errno;
    unlink();
    return 0;
  }

 private:
  void unlink() {
    if (!name_.empty()) ::unlinkat(directory_.get(), name_.c_str(), 0);
    name_.clear();
  }

  os::Fd directory_;
  os::Fd fd_;
  std::string name_;
};

struct LocalStore::Entry {
  std::string key;  // of a directory with a slash at the end, so that it sorts as the keys below it do
  struct stat info {};
  bool is_directory() const { return key.ends_with('/'); }
};

LocalStore::LocalStore(RootDirectory root) : root_(std::move(root)), may_map_(!os::is_on_network(root_.path())) {}

Result<std::unique_ptr<Store>> LocalStore::open(const LocalOptions& options) {
  TRY_ASSIGN(RootDirectory root, RootDirectory::open(options.path));
  std::unique_ptr<LocalStore> store(new LocalStore(std::move(root)));
  if (const auto staging = store->root_.open_directory(std::string(k_staging))) os::remove_stale_files(*staging, "");
  return store;
}

// Not by path: whoever moves the store away while it is used must find it whole, and nothing new in its old place.
Result<os::Fd> LocalStore::lock() const {
  const std::string name(k_lock);
  TRY_ASSIGN(const os::Fd root, root_.open_directory(""));
  while (true) {
    auto fd = root_.open_file(name, O_RDWR);
    if (!fd && fd.error().code == Code::not_found)
      fd = os::open_at(root.get(), name, O_RDWR | O_CREAT | O_NOFOLLOW, 0666);
    if (!fd) return fd.error();
    int result = ::flock(fd->get(), LOCK_EX);
    while (result != 0 && errno == EINTR) result = ::flock(fd->get(), LOCK_EX);
    if (result != 0) return os::system_error("lock", root_.path_of(name), errno);
    // A lock on a file whose name was removed meanwhile excludes nobody.
    TRY_ASSIGN(const struct stat ours, os::status(*fd, name));
    struct stat named {};
    if (::fstatat(root.get(), name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 && os::id_of(ours) == os::id_of(named))
      return fd;
  }
}

Result<os::Fd> LocalStore::open_object(std::string_view key, int flags, struct stat& info) const {
  TRY(check_key(key));
  auto fd = root_.open_file(std::string(key), flags);
  if (fd) {
    TRY_ASSIGN(info, os::status(*fd, root_.path_of(key)));
    if (S_ISREG(info.st_mode)) return fd;
    if (S_ISLNK(info.st_mode)) return root_.symlink_error(key);
    if (!S_ISDIR(info.st_mode))
      return Error{Code::corrupt, concat("'", root_.path_of(key), "' in a store is no regular file")};
  } else if (fd.error().code != Code::not_found) {
    return fd.error();
  }
  return Error{Code::not_found, concat("no object '", key, "' in '", printable(root_.path()), "'")};
}

Result<ObjectInfo> LocalStore::stat(std::string_view key) {
  struct stat info {};
  TRY(open_object(key, O_PATH, info));
  return info_of(std::string(key), info);
}

Result<ObjectView> LocalStore::view(std::string_view key) {
  if (!may_map_) return Store::view(key);
  struct stat info {};
  TRY_ASSIGN(const os::Fd fd, open_object(key, O_RDONLY, info));
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return ObjectView(Bytes());  // mmap(2) takes no empty file
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  // Not every file system can, and a process may have only so many.
  if (mapped == MAP_FAILED) return Store::view(key);
  return ObjectView(ByteView(static_cast<const std::byte*>(mapped), size),
                    [](ByteView bytes) { ::munmap(const_cast<std::byte*>(bytes.data()), bytes.size()); });
}

Result<Bytes> LocalStore::get(std::string_view key, Range range) {
  Bytes bytes;
  TRY(read_object(key, range, ReadFrom::anywhere, [&](std::size_t size) {
    bytes.resize(size);
    return std::span(bytes);
  }));
  return bytes;
}

Result<std::size_t> LocalStore::get_into(std::string_view key, std::uint64_t offset, std::span<std::byte> buffer,
                                         ReadFrom from) {
  return read_object(key, {offset, buffer.size()}, from, [&](std::size_t size) { return buffer.first(size); });
}

// `buffer_for` gives room for what the range has.
template <class BufferFor>
Result<std::size_t> LocalStore::read_object(std::string_view key, Range range, ReadFrom from,
                                            const BufferFor& buffer_for) const {
  struct stat info {};
  TRY_ASSIGN(const os::Fd fd, open_object(key, O_RDONLY, info));
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (range.offset > size)
    return Error{Code::invalid, concat("offset ", range.offset, " is beyond the end of object '", key, "'")};
  const std::span<std::byte> buffer = buffer_for(std::min(range.length, size - range.offset));
  const std::string path = root_.path_of(key);
  const auto got = from == ReadFrom::medium ? os::read_direct(fd, range.offset, buffer, path)
                                            : os::read_at(fd, range.offset, buffer, path);
  if (!got) return read_error(got.error());
  if (*got != buffer.size()) return Error{Code::corrupt, concat("'", path, "' was cut while it was read")};
  return got;
}

Result<LocalStore::StagedFile> LocalStore::stage(std::span<const ByteView> parts) const {
  TRY_ASSIGN(os::Fd staging, root_.make_directory(std::string(k_staging)));
  const std::string name = os::base_name_of(os::unique_path("", "new"));
  const std::string path = root_.path_of(concat(k_staging, "/", name));
  TRY_ASSIGN(os::Fd fd, os::open_at(staging.get(), name, O_WRONLY | O_CREAT | O_EXCL, 0666));
  StagedFile staged(std::move(staging), std::move(fd), name);
  TRY(staged.write(parts, path));
  return staged;
}

Result<void> LocalStore::publish(StagedFile& staged, const std::string& key, const Condition& condition) const {
  const std::string name = os::base_name_of(key);
  for (int tries = 0; tries < k_most_tries; ++tries) {
    const auto directory = root_.make_directory(directory_of(key));
    if (!directory && directory.error().code == Code::not_found) continue;
    if (!directory) return directory.error();
    if (condition.kind == Condition::Kind::if_absent) {
      const int number = staged.move_if_absent(*directory, name);
      if (number == 0) return {};
      if (number != ENOENT) return publish_error(*directory, key, number);
      continue;
    }
    TRY_ASSIGN(const os::Fd locked, lock());
    struct stat info {};
    const bool present = ::fstatat(directory->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (condition.kind == Condition::Kind::if_match && (!present || etag_of(info) != condition.etag))
      return Error{Code::conflict, concat("object '", key, "' has changed")};
    const int number = staged.replace(*directory, name);
    if (number == 0) return {};
    if (number != ENOENT) return publish_error(*directory, key, number);
  }
  return Error{Code::unavailable, concat("the directory of object '", key, "' is removed again and again")};
}

Error LocalStore::publish_error(const os::Fd& directory, const std::string& key, int number) const {
  struct stat info {};
  const bool present = ::fstatat(directory.get(), os::base_name_of(key).c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
  if (present && S_ISDIR(info.st_mode)) return clash_error(key);
  if (number == EEXIST) return exists_error(key, root_.path());
  return os::system_error("create", root_.path_of(key), number);
}

// A directory that is gone was removed by someone after the objects in it.
Result<void> LocalStore::settle(const std::string& directory) const {
  auto synced = root_.sync_up(directory);
  if (!synced && synced.error().code == Code::not_found) return {};
  return synced;
}

Result<std::string> LocalStore::put(std::string_view key, std::span<const ByteView> parts, Condition condition) {
  TRY(check_key(key));
  const std::string name(key);
  const auto full = [&](Error error) {
    if (error.code == Code::exhausted)
      error.hint = concat("free space or raise the quota where the store '", printable(root_.path()), "' lies");
    return error;
  };
  struct stat info {};
  if (condition.kind == Condition::Kind::if_absent) {
    const auto present = open_object(key, O_PATH, info);
    if (!present && present.error().code != Code::not_found) return present.error();
    // Also what another has just put may be relied on after this answer: see that it is durable.
    if (present) TRY(settle(directory_of(key)));
    if (present) return exists_error(key, root_.path());
  }
  auto staged = stage(parts);
  if (!staged) return full(staged.error());
  const auto published = publish(*staged, name, condition);
  if (!published && published.error().code != Code::already_exists) return full(published.error());
  TRY(settle(directory_of(key)));
  if (!published) return published.error();
  TRY_ASSIGN(info, os::status(staged->fd(), root_.path_of(key)));
  return etag_of(info);
}

Result<void> LocalStore::remove(std::string_view key) {
  TRY(check_key(key));
  const std::string name = os::base_name_of(std::string(key));
  const auto directory = root_.open_directory(directory_of(key));
  if (!directory && directory.error().code == Code::not_found) return {};
  if (!directory) return directory.error();
  {
    TRY_ASSIGN(const os::Fd locked, lock());
    if (::unlinkat(directory->get(), name.c_str(), 0) != 0 && errno != ENOENT && errno != EISDIR)
      return os::system_error("remove", root_.path_of(key), errno);
  }
  TRY(os::sync(*directory, root_.path_of(directory_of(key))));
  root_.prune(directory_of(key));
  return {};
}

Result<void> LocalStore::list(std::string_view prefix, const Visitor& visit) {
  const std::string directory = directory_of(prefix);
  const bool nested = prefix.find('/') != std::string_view::npos;
  if (nested && !valid_key(directory)) return {};  // no key begins so
  return list_directory(directory, prefix.substr(nested ? directory.size() + 1 : 0), visit);
}

Result<std::vector<LocalStore::Entry>> LocalStore::entries_of(const std::string& directory,
                                                              std::string_view wanted) const {
  std::vector<Entry> entries;
  const auto fd = root_.open_directory(directory);
  if (!fd && fd.error().code == Code::not_found) return entries;
  if (!fd) return fd.error();
  TRY_ASSIGN(const auto names, os::names_in(fd->get(), root_.path_of(directory)));
  for (const std::string& name : names) {
    Entry entry{directory.empty() ? name : concat(directory, "/", name)};
    if (!name.starts_with(wanted) || !valid_key(entry.key)) continue;
    if (::fstatat(fd->get(), name.c_str(), &entry.info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // removed meanwhile
      return os::system_error("stat", root_.path_of(entry.key), errno);
    }
    // Passing over a link would make all that lies behind it look lost.
    if (S_ISLNK(entry.info.st_mode)) return root_.symlink_error(entry.key);
    if (S_ISDIR(entry.info.st_mode)) entry.key += '/';
    if (S_ISDIR(entry.info.st_mode) || S_ISREG(entry.info.st_mode)) entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
  return entries;
}

Result<void> LocalStore::list_directory(const std::string& directory, std::string_view wanted,
                                        const Visitor& visit) const {
  TRY_ASSIGN(const auto entries, entries_of(directory, wanted));
  for (const Entry& entry : entries) {
    if (entry.is_directory())
      TRY(list_directory(entry.key.substr(0, entry.key.size() - 1), {}, visit));
    else
      TRY(visit(info_of(entry.key, entry.info)));
  }
  return {};
}

}  // namespace studio::blob
