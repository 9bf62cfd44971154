#include "blob/live_directory.hpp"

#include <fcntl.h>

#include <algorithm>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"
#include "base/number.hpp"
#include "os/atomic_file.hpp"
#include "os/directory.hpp"
#include "os/fd.hpp"
#include "os/paths.hpp"

namespace studio::blob {

namespace {

constexpr std::size_t k_most_name = 1024;
constexpr mode_t k_private_directory = 0700;
constexpr mode_t k_private_file = 0600;

bool valid_file(std::string_view file) {
  if (file.size() > k_most_name) return false;
  while (true) {
    const std::size_t slash = file.find('/');
    if (!valid_file_name(file.substr(0, slash))) return false;
    if (slash == file.npos) return true;
    file.remove_prefix(slash + 1);
  }
}

// None if there is no such directory.
Result<std::vector<std::string>> names_of(const std::string& path) {
  const auto directory = os::open(path, O_RDONLY | O_DIRECTORY);
  if (!directory && directory.error().code == Code::not_found) return std::vector<std::string>();
  if (!directory) return directory.error();
  return os::names_in(directory->get(), path);
}

}  // namespace

Result<void> check_live_file(const LiveFile& name) {
  if (valid_name(name.experiment) && valid_file(name.file)) return {};
  return Error{Code::invalid, concat("'", printable(name.file), "' is not the name of a file below an attempt")};
}

std::string LiveDirectory::directory(const std::string& experiment, std::uint64_t attempt) const {
  return concat(root_, "/", experiment, "/", attempt);
}

std::string LiveDirectory::path(const LiveFile& file) const {
  return concat(directory(file.experiment, file.attempt), "/", file.file);
}

std::mutex& LiveDirectory::mutex_of(const std::string& path) {
  return mutexes_[std::hash<std::string>()(path) % mutexes_.size()];
}

Result<std::uint64_t> LiveDirectory::append(const LiveFile& file, std::uint64_t offset, ByteView bytes) {
  TRY(check_live_file(file));
  const std::string where = path(file);
  const std::lock_guard lock(mutex_of(where));
  TRY(os::make_directories(os::parent_of(where), k_private_directory));
  TRY_ASSIGN(const os::Fd fd, os::open(where, O_WRONLY | O_CREAT | O_NOFOLLOW, k_private_file));
  TRY_ASSIGN(const struct stat info, os::status(fd, where));
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (offset > size || size - offset >= bytes.size()) return size;
  const ByteView added = bytes.subspan(size - offset);
  if (added.size() > k_most_bytes - std::min(size, k_most_bytes))
    return Error{Code::exhausted, concat("more than ", k_most_bytes, " bytes of '", printable(file.file),
                                         "' are not shown as they are written")};
  TRY(os::write_at(fd, size, added, where));
  return size + added.size();
}

Result<void> LiveDirectory::replace(const LiveFile& file, ByteView bytes) {
  TRY(check_live_file(file));
  const std::string where = path(file);
  TRY(os::make_directories(os::parent_of(where), k_private_directory));
  return os::write_file(where, bytes);
}

Result<void> LiveDirectory::list(
    const std::function<Result<void>(const std::string& experiment, std::uint64_t attempt)>& visit) {
  TRY_ASSIGN(const auto experiments, names_of(root_));
  for (const std::string& experiment : experiments) {
    TRY_ASSIGN(const auto attempts, names_of(concat(root_, "/", experiment)));
    for (const std::string& attempt : attempts)
      if (const auto number = parse_number(attempt)) TRY(visit(experiment, *number));
  }
  return {};
}

Result<void> LiveDirectory::remove(const std::string& experiment, std::uint64_t attempt) {
  TRY(os::remove_tree(directory(experiment, attempt)));
  // Unless there are other attempts.
  (void)::rmdir(concat(root_, "/", experiment).c_str());
  return {};
}

}  // namespace studio::blob
