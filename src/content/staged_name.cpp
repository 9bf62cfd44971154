#include "content/staged_name.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "os/atomic_file.hpp"
#include "os/error.hpp"
#include "os/paths.hpp"

namespace studio::content {

Result<StagedName> StagedName::begin(int directory, const std::string& name, bool replaces) {
  if (!replaces) return StagedName(os::Fd(), name, {});
  os::Fd own(::fcntl(directory, F_DUPFD_CLOEXEC, 0));
  if (!own) return os::system_error("open the directory of", name, errno);
  return StagedName(std::move(own), name, os::base_name_of(os::unique_path("", k_staged_prefix)));
}

// Also once it has taken the place: where that was another name of the same file, rename(2) has left both.
StagedName::~StagedName() {
  if (directory_) ::unlinkat(directory_.get(), staged_.c_str(), 0);
}

Result<void> StagedName::complete() {
  if (directory_ && ::renameat(directory_.get(), staged_.c_str(), directory_.get(), name_.c_str()) != 0)
    return os::system_error("replace", name_, errno);
  return {};
}

}  // namespace studio::content
