#include "content/restore.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "content/file_reader.hpp"
#include "content/file_restorer.hpp"
#include "content/seen_files.hpp"
#include "content/staged_name.hpp"
#include "content/tree_walk.hpp"
#include "os/atomic_file.hpp"
#include "os/beneath.hpp"
#include "os/directory.hpp"
#include "os/error.hpp"

namespace studio::content {

namespace {

// `info` is that of the name in `directory`.
bool matches(const TreeEntry& entry, int directory, const struct stat& info, bool read_only) {
  const bool same_mode = (info.st_mode & 0777) == (restored_mode(entry, read_only) & 0777);
  const bool same_device = info.st_rdev == makedev(entry.device_major, entry.device_minor);
  switch (entry.type) {
    case EntryType::directory: return S_ISDIR(info.st_mode) && same_mode && modified_ns(info) == entry.modified_ns;
    case EntryType::file:
    case EntryType::hard_link: return S_ISREG(info.st_mode) && same_mode && has_stamp_of(entry, info);
    case EntryType::symlink: {
      std::string target(entry.target.size() + 1, '\0');
      const ssize_t length = ::readlinkat(directory, entry.name.c_str(), target.data(), target.size());
      target.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
      return target == entry.target;
    }
    case EntryType::fifo: return S_ISFIFO(info.st_mode) && same_mode;
    case EntryType::socket: return S_ISSOCK(info.st_mode) && same_mode;
    case EntryType::char_device: return S_ISCHR(info.st_mode) && same_mode && same_device;
    case EntryType::block_device: return S_ISBLK(info.st_mode) && same_mode && same_device;
  }
  return false;
}

// As it is kept for messages, one for each directory on the way: a path through many levels is long.
std::string for_messages(const std::string& path) {
  constexpr std::size_t k_longest = 1000;
  constexpr std::size_t k_end = 400;  // longer than a name
  if (path.size() <= k_longest) return path;
  return concat(path.substr(0, path.find('/', k_end)), "/…", path.substr(path.rfind('/', path.size() - k_end)));
}

class Restorer {
 public:
  // `root` and `walked` are the same directory.
  Restorer(ChunkSource& source, os::Fd root, os::Fd walked, const RestoreOptions& options)
      : source_(source),
        options_(options),
        directories_(std::move(walked)),
        root_(std::move(root)),
        files_(source, options, log_) {
    if (options_.update) remove_remains();
  }

  Result<std::vector<model::Problem>> restore(const ContentRef& root) {
    const auto walked = walk(root);
    files_.finish();
    if (!walked) return walked.error();
    return log_.take();
  }

 private:
  Result<void> walk(const ContentRef& root) {
    TreeWalk walk(source_, root);
    while (!log_.failed()) {
      if (options_.stop.stop_requested()) return Error{Code::cancelled, "the restore was interrupted"};
      TRY_ASSIGN(auto event, walk.next());
      if (!event) break;
      if (event->kind == TreeWalk::Event::Kind::leave) {
        TRY(leave(event->entry));
      } else if (const auto made = make(event->entry, event->path); !made) {
        log_.fail(event->path, made.error());
      }
      if (options_.progress) options_.progress(log_.files, log_.bytes);
    }
    return {};
  }

  // The way back up must be taken before the permissions forbid it.
  Result<void> leave(const TreeEntry& directory) {
    os::Fd left(::fcntl(directories_.top(), F_DUPFD_CLOEXEC, 0));
    if (!left) return os::system_error("open", directory.name, errno);
    TRY(directories_.pop());
    filled_.back()->complete(std::move(left));
    filled_.pop_back();
    return {};
  }

  Result<void> make(const TreeEntry& entry, const std::string& path) {
    bool is_there = false;
    if (options_.update) {
      TRY_ASSIGN(is_there, can_stay(entry));
    }
    if (is_there && entry.type != EntryType::directory) {
      if (entry.type == EntryType::file) seen_.add(path, entry);
      ++log_.files;
      log_.bytes += entry.content.size;
      return {};
    }
    if (entry.type == EntryType::hard_link && make_hard_link(entry, path)) return {};
    switch (entry.type) {
      case EntryType::directory: return make_directory(entry, path, is_there);
      case EntryType::file: seen_.add(path, entry); return add_file(entry, path);
      case EntryType::hard_link: return add_file(entry, path);
      case EntryType::symlink: return make_symlink(entry);
      case EntryType::fifo: return make_node(entry, path, S_IFIFO);
      case EntryType::socket: return make_node(entry, path, S_IFSOCK);
      case EntryType::char_device: return make_node(entry, path, S_IFCHR);
      case EntryType::block_device: return make_node(entry, path, S_IFBLK);
    }
    return Error{Code::corrupt, "unknown type of entry"};
  }

  // Whether what is there under the name may stay. Otherwise what is made takes its place, but for a directory, which
  // cannot: for one it is removed.
  Result<bool> can_stay(const TreeEntry& entry) {
    struct stat info {};
    if (::fstatat(directories_.top(), entry.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return false;
      return os::system_error("stat", entry.name, errno);
    }
    if (S_ISDIR(info.st_mode)) {
      if (entry.type != EntryType::directory)
        return Error{Code::already_exists, "a directory is in its place", "remove the directory first"};
      TRY(set_mode(entry, info, info.st_mode | S_IRWXU));  // to be written in
      return true;
    }
    if (has_bytes(entry.type) && S_ISREG(info.st_mode) && has_stamp_of(entry, info)) {
      TRY(set_mode(entry, info, restored_mode(entry, options_.read_only)));
      return true;
    }
    if (matches(entry, directories_.top(), info, options_.read_only)) return true;
    if (entry.type == EntryType::directory && ::unlinkat(directories_.top(), entry.name.c_str(), 0) != 0)
      return os::system_error("replace", entry.name, errno);
    return false;
  }

  // Of what is there, unless it has it.
  Result<void> set_mode(const TreeEntry& entry, const struct stat& info, mode_t mode) {
    if (((info.st_mode ^ mode) & 07777) != 0 &&
        ::fchmodat(directories_.top(), entry.name.c_str(), mode & 07777, 0) != 0)
      return os::system_error("set the mode of", entry.name, errno);
    return {};
  }

  Result<void> make_directory(const TreeEntry& entry, const std::string& path, bool is_there) {
    if (!is_there && ::mkdirat(directories_.top(), entry.name.c_str(), 0700) != 0)
      return os::system_error("create directory", entry.name, errno);
    TRY(directories_.push(entry.name));
    filled_.push_back(std::make_shared<FilledDirectory>(entry, for_messages(path), options_.read_only, log_));
    if (is_there) remove_remains();
    return {};
  }

  // In the top directory: what an update that was killed has not put in its place.
  void remove_remains() const {
    if (const auto opened = os::open_at(directories_.top(), ".", O_RDONLY | O_DIRECTORY))
      os::remove_stale_files(*opened, k_staged_prefix);
  }

  Result<void> add_file(const TreeEntry& entry, const std::string& path) {
    return files_.add(directories_.top(), filled_.empty() ? nullptr : filled_.back(), entry, for_messages(path));
  }

  // Opens what is at `path` from the root, for its name only.
  os::Fd find(std::string_view path) const {
    constexpr std::size_t k_most = 4000;  // of one path for the kernel
    os::Fd at;
    while (!path.empty()) {
      std::size_t length = path.size();
      if (length > k_most) length = path.rfind('/', k_most);
      if (length == path.npos) return {};
      const std::string part(path.substr(0, length));
      path.remove_prefix(std::min(length + 1, path.size()));
      at = os::Fd(os::open_beneath(at ? at.get() : root_.get(), part, O_PATH | O_NOFOLLOW));
      if (!at) return {};
    }
    return at;
  }

  // False if the other name is not there, or holds something else: then this one stands for itself.
  bool make_hard_link(const TreeEntry& entry, const std::string& path) {
    if (!seen_.hold_target_of(entry)) return false;
    files_.make_names();
    const os::Fd other = find(entry.target);
    const std::string handle = concat("/proc/self/fd/", other.get());
    auto place = stage(entry);
    if (place &&
        ::linkat(AT_FDCWD, handle.c_str(), directories_.top(), place->current().c_str(), AT_SYMLINK_FOLLOW) == 0 &&
        place->complete()) {
      ++log_.files;
      return true;
    }
    log_.add_problem(path, "it cannot be a second name of a file here; it is a copy");
    return false;
  }

  Result<StagedName> stage(const TreeEntry& entry) const {
    return StagedName::begin(directories_.top(), entry.name, options_.update);
  }

  Result<void> make_symlink(const TreeEntry& entry) {
    TRY_ASSIGN(StagedName place, stage(entry));
    if (::symlinkat(entry.target.c_str(), directories_.top(), place.current().c_str()) != 0)
      return os::system_error("create symlink", entry.name, errno);
    TRY(place.complete());
    return set_times(entry);
  }

  Result<void> make_node(const TreeEntry& entry, const std::string& path, mode_t type) {
    const dev_t device = makedev(entry.device_major, entry.device_minor);
    TRY_ASSIGN(StagedName place, stage(entry));
    if (::mknodat(directories_.top(), place.current().c_str(), type | 0600, device) != 0) {
      if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
        return os::system_error("create", entry.name, errno);
      log_.add_problem(path, concat("a ", name_of(entry.type), " cannot be made here; left out"));
      return {};
    }
    TRY(place.complete());
    if (::fchmodat(directories_.top(), entry.name.c_str(), restored_mode(entry, options_.read_only), 0) != 0)
      return os::system_error("set the mode of", entry.name, errno);
    return set_times(entry);
  }

  Result<void> set_times(const TreeEntry& entry) {
    const auto times = times_of(entry.modified_ns);
    if (::utimensat(directories_.top(), entry.name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
      return os::system_error("set the times of", entry.name, errno);
    ++log_.files;
    return {};
  }

  ChunkSource& source_;
  const RestoreOptions& options_;
  os::DirectoryStack directories_;
  os::Fd root_;
  SeenFiles seen_;
  RestoreLog log_;
  std::vector<std::shared_ptr<FilledDirectory>> filled_;  // from below the root to where the walk is
  FileRestorer files_;                                    // ends first
};

// What restore_tree leaves out without privilege.
bool is_optional(EntryType type) { return type == EntryType::char_device || type == EntryType::block_device; }

}  // namespace

Result<std::vector<model::Problem>> restore_tree(ChunkSource& source, const ContentRef& root, const std::string& into,
                                                 const RestoreOptions& options) {
  TRY_ASSIGN(os::Fd directory, os::open(into, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY_ASSIGN(os::Fd walked, os::open_at(directory.get(), ".", O_RDONLY | O_DIRECTORY));
  return Restorer(source, std::move(directory), std::move(walked), options).restore(root);
}

Result<void> set_root_metadata(const std::string& directory, const model::Version& version) {
  if (::chmod(directory.c_str(), version.root_mode) != 0) return os::system_error("set the mode of", directory, errno);
  const auto times = times_of(version.root_modified_ns);
  if (::utimensat(AT_FDCWD, directory.c_str(), times.data(), 0) != 0)
    return os::system_error("set the times of", directory, errno);
  return {};
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
    if (!found || !matches(entry, directories.top(), info, true)) return false;
    ++expected.back();
    if (entry.type == EntryType::directory) {
      if (!directories.push(entry.name)) return false;
      expected.push_back(0);
    }
  }
}

}  // namespace studio::content
