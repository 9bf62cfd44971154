#include "cli/restoration.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/exit_code.hpp"
#include "content/restored_metadata.hpp"
#include "content/staged_name.hpp"
#include "content/tree_walk.hpp"
#include "os/atomic_file.hpp"
#include "os/directory.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

// Where the version is to be, and how it gets there.
struct Place {
  std::string path;
  std::string staging_parent;  // the directory that the temporary one is made in
  bool fill = false;           // the directory stays and takes the entries
};

std::optional<struct stat> look_at(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return info;
}

Error in_the_way(const std::string& path, std::string_view what) {
  return usage_error(concat("'", printable(path), "' ", what),
                     "name a destination that does not exist, or add --update");
}

Result<void> check_parent(const std::string& path) {
  const std::string parent = os::parent_of(path);
  const auto info = look_at(parent);
  if (info && S_ISDIR(info->st_mode)) return {};
  return usage_error(concat("the directory '", printable(parent), "' does not exist"),
                     concat("mkdir -p '", printable(parent), "'"));
}

bool is_same(const struct stat& a, const struct stat& b) { return os::id_of(a) == os::id_of(b); }

Result<Place> place_in_existing(const std::string& path, const struct stat& info) {
  if (!S_ISDIR(info.st_mode)) return in_the_way(path, "is there already, and is no directory");
  TRY_ASSIGN(const os::Fd opened, os::open(path, O_RDONLY | O_DIRECTORY));
  TRY_ASSIGN(const auto names, os::names_in(opened.get(), path));
  if (!names.empty()) return in_the_way(path, "is not empty");
  TRY_ASSIGN(const std::string real, os::real_path(path, "find"));
  Place place{.path = real, .staging_parent = os::parent_of(real)};
  // The current directory must not be swapped under the shell that stands in it; a mount point cannot be.
  const auto current = look_at(".");
  const auto parent = look_at(place.staging_parent);
  place.fill = (current && is_same(*current, info)) || !parent || parent->st_dev != info.st_dev;
  if (place.fill) place.staging_parent = place.path;
  return place;
}

Result<Place> place_of_directory(const std::string& path) {
  if (const auto info = look_at(path)) return place_in_existing(path, *info);
  if (os::exists(path)) return in_the_way(path, "is a symlink that leads nowhere");
  TRY(check_parent(path));
  return Place{.path = path, .staging_parent = os::parent_of(path)};
}

Result<Place> place_of_file(std::string path, const std::string& name, bool must_be_directory, bool may_replace) {
  const auto info = look_at(path);
  const bool is_directory = info && S_ISDIR(info->st_mode);
  if (must_be_directory && !is_directory)
    return usage_error(concat("there is no directory '", printable(path), "'"),
                       concat("mkdir -p '", printable(path), "'"));
  if (is_directory) path = path == "/" ? path + name : concat(path, "/", name);
  const auto there = look_at(path);
  if (os::exists(path) && !(may_replace && there && S_ISREG(there->st_mode)))
    return in_the_way(path, "is there already");
  TRY(check_parent(path));
  return Place{.path = path, .staging_parent = os::parent_of(path)};
}

// Removed at the end, with all that is still in it.
class StagingDirectory {
 public:
  static Result<StagingDirectory> make(const std::string& parent) {
    StagingDirectory staging(os::unique_path(parent == "/" ? "" : parent, content::k_staged_prefix));
    if (::mkdir(staging.path_.c_str(), 0700) != 0) {
      const int number = errno;
      staging.path_.clear();
      return no_usage_error(os::system_error("write to", parent, number));
    }
    return staging;
  }
  StagingDirectory(StagingDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  StagingDirectory& operator=(StagingDirectory&&) = delete;
  ~StagingDirectory() {
    if (!path_.empty()) (void)os::remove_tree(path_);
  }

  const std::string& path() const { return path_; }
  void was_moved() { path_.clear(); }

 private:
  explicit StagingDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Error cannot_place(const std::string& path, int number) {
  if (number == EEXIST || number == ENOTEMPTY || number == ENOTDIR || number == EISDIR)
    return Error{Code::already_exists, concat("'", printable(path), "' was made by another process meanwhile")};
  return no_usage_error(os::system_error("create", path, number));
}

Result<void> move_directory(StagingDirectory& staging, const Place& place) {
  if (::rename(staging.path().c_str(), place.path.c_str()) != 0) return cannot_place(place.path, errno);
  staging.was_moved();
  return {};
}

// rename(2) of a directory without write permission to another parent needs that permission: its ".." changes.
int move_entry(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return 0;
  const int number = errno;
  struct stat info {};
  if (number != EACCES || ::lstat(from.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return number;
  ::chmod(from.c_str(), info.st_mode | S_IWUSR);
  const int result = ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  ::chmod(result == 0 ? to.c_str() : from.c_str(), info.st_mode & 07777u);
  return result;
}

Result<void> move_entries(const StagingDirectory& staging, const Place& place) {
  TRY_ASSIGN(const os::Fd opened, os::open(staging.path(), O_RDONLY | O_DIRECTORY));
  TRY_ASSIGN(const auto names, os::names_in(opened.get(), staging.path()));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const int number = move_entry(concat(staging.path(), "/", names[i]), concat(place.path, "/", names[i]));
    if (number == 0) continue;
    while (i-- > 0) (void)os::remove_tree(concat(place.path, "/", names[i]));
    return cannot_place(place.path, number);
  }
  return {};
}

Result<void> move_file(const StagingDirectory& staging, const std::string& name, const Place& place, bool may_replace) {
  const std::string from = concat(staging.path(), "/", name);
  if (may_replace && ::rename(from.c_str(), place.path.c_str()) == 0) return {};
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, place.path.c_str(), RENAME_NOREPLACE) == 0) return {};
  // Not every file system can do it in one step.
  if (errno == EINVAL && ::link(from.c_str(), place.path.c_str()) == 0) return {};
  return cannot_place(place.path, errno);
}

Result<Restored> update_directory(content::ChunkSource& chunks, const model::Version& version, const std::string& path,
                                  const content::RestoreOptions& options) {
  TRY_ASSIGN(const std::string real, os::real_path(path, "find"));
  const auto info = look_at(path);
  if (!info || !S_ISDIR(info->st_mode)) return in_the_way(path, "is there already, and is no directory");
  // To be written in. Someone else's may allow it anyhow.
  if ((info->st_mode & S_IRWXU) != S_IRWXU) (void)::chmod(real.c_str(), (info->st_mode | S_IRWXU) & 07777u);
  auto problems = content::restore_tree(chunks, version.root, real, options);
  if (!problems) return no_usage_error(std::move(problems).error());
  TRY(content::set_root_metadata(path, version));
  return Restored{path, *std::move(problems)};
}

}  // namespace

Result<Restored> restore_version(content::ChunkSource& chunks, const model::Version& version,
                                 const std::string& destination, const std::string& directory,
                                 const content::RestoreOptions& options) {
  const std::string path = os::absolute(destination, directory);
  const bool is_file = version.kind == model::ArtifactKind::file;
  if (is_file && !content::valid_entry_name(version.file_name))
    return Error{Code::corrupt, "the version names no valid file"};
  if (options.update && !is_file && os::exists(path)) return update_directory(chunks, version, path, options);
  TRY_ASSIGN(const Place place, is_file
                                    ? place_of_file(path, version.file_name, destination.ends_with('/'), options.update)
                                    : place_of_directory(path));
  if (options.update && is_file) {
    TRY_ASSIGN(const content::TreeEntry entry, content::find_entry(chunks, version.root, version.file_name));
    if (const auto info = look_at(place.path); info && content::has_stamp_of(entry, *info)) {
      const mode_t mode = content::restored_mode(entry, options.read_only);
      if (((info->st_mode ^ mode) & 07777u) != 0 && ::chmod(place.path.c_str(), mode & 07777u) != 0)
        return no_usage_error(os::system_error("set the mode of", place.path, errno));
      return Restored{place.path, {}};
    }
  }
  TRY_ASSIGN(StagingDirectory staging, StagingDirectory::make(place.staging_parent));
  auto problems = content::restore_tree(chunks, version.root, staging.path(), options);
  if (!problems) return no_usage_error(std::move(problems).error());
  if (is_file) {
    TRY(move_file(staging, version.file_name, place, options.update));
  } else if (place.fill) {
    TRY(move_entries(staging, place));
    // The entries are there: a directory of someone else that we may write to is no reason to fail.
    if (const auto set = content::set_root_metadata(place.path, version); !set)
      problems->push_back({".", set.error().message});
  } else {
    TRY(content::set_root_metadata(staging.path(), version));
    TRY(move_directory(staging, place));
  }
  // Where the user sees it, also if it was reached through a symlink.
  return Restored{is_file ? place.path : path, *std::move(problems)};
}

}  // namespace studio::cli
