#include "content/restore.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "content/file_reader.hpp"
#include "content/tree_walk.hpp"
#include "os/directory.hpp"
#include "os/error.hpp"

namespace studio::content {

namespace {

constexpr mode_t k_write_bits = 0222;

std::array<struct timespec, 2> times_of(const TreeEntry& entry) {
  constexpr std::int64_t k_second = 1'000'000'000;
  std::int64_t seconds = entry.modified_ns / k_second;
  std::int64_t rest = entry.modified_ns % k_second;
  if (rest < 0) {
    rest += k_second;
    --seconds;
  }
  return {{{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = rest}}};
}

class Restorer {
 public:
  Restorer(ChunkSource& source, os::Fd root, const RestoreOptions& options)
      : source_(source), options_(options), directories_(std::move(root)) {
    root_ = os::Fd(::fcntl(directories_.top(), F_DUPFD_CLOEXEC, 0));
  }

  Result<std::vector<model::Problem>> restore(const ContentRef& root) {
    TreeWalk walk(source_, root);
    while (true) {
      if (options_.stop.stop_requested()) return Error{Code::cancelled, "the restore was interrupted"};
      TRY_ASSIGN(const auto event, walk.next());
      if (!event) break;
      auto done = event->kind == TreeWalk::Event::Kind::leave ? leave(event->entry) : make(event->entry, event->path);
      if (!done) return within(concat("cannot restore '", printable(event->path), "'"), done.error());
      if (options_.progress) options_.progress(files_, bytes_);
    }
    return std::move(problems_);
  }

 private:
  mode_t mode_of(const TreeEntry& entry) const {
    return options_.read_only ? entry.mode & ~k_write_bits : static_cast<mode_t>(entry.mode);
  }

  // Mode last: a read-only file still takes attributes and times from its owner, but not the other way round on every file system.
  Result<void> set_metadata(int fd, const TreeEntry& entry) {
    for (const auto& [name, value] : entry.attributes)
      ::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0);  // not every file system has them
    if (::fchmod(fd, mode_of(entry)) != 0) return os::system_error("set the mode of", entry.name, errno);
    const auto times = times_of(entry);
    if (::futimens(fd, times.data()) != 0) return os::system_error("set the times of", entry.name, errno);
    return {};
  }

  Result<void> leave(const TreeEntry& directory) {
    TRY(set_metadata(directories_.top(), directory));
    return directories_.pop();
  }

  Result<void> make(const TreeEntry& entry, const std::string& path) {
    if (entry.type != EntryType::directory) ++files_;
    switch (entry.type) {
      case EntryType::directory:
        if (::mkdirat(directories_.top(), entry.name.c_str(), 0700) != 0)
          return os::system_error("create directory", entry.name, errno);
        return directories_.push(entry.name);
      case EntryType::file: return make_file(entry);
      case EntryType::hard_link: return make_hard_link(entry);
      case EntryType::symlink: return make_symlink(entry);
      case EntryType::fifo: return make_node(entry, path, S_IFIFO);
      case EntryType::socket: return make_node(entry, path, S_IFSOCK);
      case EntryType::char_device: return make_node(entry, path, S_IFCHR);
      case EntryType::block_device: return make_node(entry, path, S_IFBLK);
    }
    return Error{Code::corrupt, "unknown type of entry"};
  }

  Result<void> make_file(const TreeEntry& entry) {
    TRY_ASSIGN(const os::Fd file, os::open_at(directories_.top(), entry.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    ContentReader content(source_, entry.content);
    std::uint64_t at = 0;
    std::size_t hole = 0;
    const auto skip_holes = [&] {
      for (; hole < entry.holes.size() && entry.holes[hole].offset == at; ++hole) at += entry.holes[hole].length;
    };
    while (true) {
      if (options_.stop.stop_requested()) return Error{Code::cancelled, "the restore was interrupted"};
      TRY_ASSIGN(const Bytes piece, content.next());
      if (piece.empty()) break;
      ByteView rest(piece);
      while (!rest.empty()) {
        skip_holes();
        const std::uint64_t room = hole < entry.holes.size() ? entry.holes[hole].offset - at : rest.size();
        const ByteView part = rest.first(std::min<std::uint64_t>(room, rest.size()));
        TRY(os::write_at(file, at, part, entry.name));
        at += part.size();
        bytes_ += part.size();
        rest = rest.subspan(part.size());
      }
    }
    skip_holes();
    if (at != entry.size) return Error{Code::corrupt, "its content has the wrong length"};
    if (!entry.holes.empty() && ::ftruncate(file.get(), static_cast<off_t>(entry.size)) != 0)
      return os::system_error("set the length of", entry.name, errno);
    return set_metadata(file.get(), entry);
  }

  Result<void> make_hard_link(const TreeEntry& entry) {
    struct open_how how {};
    how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    const os::Fd target(
        static_cast<int>(::syscall(SYS_openat2, root_.get(), entry.target.c_str(), &how, sizeof how)));
    if (!target) return os::system_error("open", entry.target, errno);
    const std::string handle = concat("/proc/self/fd/", target.get());
    if (::linkat(AT_FDCWD, handle.c_str(), directories_.top(), entry.name.c_str(), AT_SYMLINK_FOLLOW) != 0)
      return os::system_error("link", entry.name, errno);
    return {};
  }

  Result<void> make_symlink(const TreeEntry& entry) {
    if (::symlinkat(entry.target.c_str(), directories_.top(), entry.name.c_str()) != 0)
      return os::system_error("create symlink", entry.name, errno);
    return set_times(entry);
  }

  Result<void> make_node(const TreeEntry& entry, const std::string& path, mode_t type) {
    const dev_t device = makedev(entry.device_major, entry.device_minor);
    if (::mknodat(directories_.top(), entry.name.c_str(), type | 0600, device) != 0) {
      if (errno != EPERM) return os::system_error("create", entry.name, errno);
      problems_.push_back({path, concat("a ", name_of(entry.type), " needs privilege to be made; left out")});
      return {};
    }
    if (::fchmodat(directories_.top(), entry.name.c_str(), mode_of(entry), 0) != 0)
      return os::system_error("set the mode of", entry.name, errno);
    return set_times(entry);
  }

  Result<void> set_times(const TreeEntry& entry) {
    const auto times = times_of(entry);
    if (::utimensat(directories_.top(), entry.name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
      return os::system_error("set the times of", entry.name, errno);
    return {};
  }

  ChunkSource& source_;
  const RestoreOptions& options_;
  os::DirectoryStack directories_;
  os::Fd root_;
  std::vector<model::Problem> problems_;
  std::uint64_t files_ = 0;
  std::uint64_t bytes_ = 0;
};

bool matches(const TreeEntry& entry, const struct stat& info) {
  const bool same_time = modified_ns(info) == entry.modified_ns;
  switch (entry.type) {
    case EntryType::directory: return S_ISDIR(info.st_mode);
    case EntryType::file:
      return S_ISREG(info.st_mode) && static_cast<std::uint64_t>(info.st_size) == entry.size && same_time &&
             (info.st_mode & k_write_bits) == 0;
    case EntryType::hard_link: return S_ISREG(info.st_mode);
    case EntryType::symlink: return S_ISLNK(info.st_mode) && same_time;
    default: return true;  // not made without privilege
  }
}

bool is_optional(EntryType type) { return type == EntryType::char_device || type == EntryType::block_device; }

}  // namespace

Result<std::vector<model::Problem>> restore_tree(ChunkSource& source, const ContentRef& root, const std::string& into,
                                                 const RestoreOptions& options) {
  TRY_ASSIGN(os::Fd directory, os::open(into, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return Restorer(source, std::move(directory), options).restore(root);
}

Result<bool> looks_restored(ChunkSource& source, const ContentRef& root, const std::string& directory) {
  auto opened = os::open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!opened) return false;
  os::DirectoryStack directories(std::move(*opened));
  TreeWalk walk(source, root);
  std::vector<std::size_t> expected{0};
  const auto is_exact = [&]() -> Result<bool> {
    TRY_ASSIGN(const auto names, os::names_in(directories.top(), directory));
    return names.size() == expected.back();
  };
  while (true) {
    TRY_ASSIGN(const auto event, walk.next());
    if (!event) return is_exact();
    const TreeEntry& entry = event->entry;
    if (event->kind == TreeWalk::Event::Kind::leave) {
      TRY_ASSIGN(const bool exact, is_exact());
      if (!exact || !directories.pop()) return false;
      expected.pop_back();
      continue;
    }
    struct stat info {};
    const bool found = ::fstatat(directories.top(), entry.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (!found && is_optional(entry.type)) continue;
    if (!found || !matches(entry, info)) return false;
    ++expected.back();
    if (entry.type == EntryType::directory) {
      if (!directories.push(entry.name)) return false;
      expected.push_back(0);
    }
  }
}

}  // namespace studio::content
