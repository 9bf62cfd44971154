#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "base/concat.hpp"
#include "os/directory.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"

namespace studio::os {

namespace {

// 0 or errno, EISDIR for a directory. What is not there is fine.
int remove_file(int parent, const std::string& name) {
  return ::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT ? 0 : errno;
}

// For a directory that may not even be read. Best effort: what fails shows when it is opened.
void make_readable(int parent, const std::string& name) {
  // O_PATH needs no permission of the directory itself, and holds on to it whatever is put in its place meanwhile.
  const auto directory = open_at(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (directory) ::chmod(concat("/proc/self/fd/", directory->get()).c_str(), 0700);
}

// What `open` says of the directory, which is made readable if need be.
template <class Open>
auto opened(int parent, const std::string& name, Open open) {
  auto result = open();
  if (result || result.error().code != Code::denied) return result;
  make_readable(parent, name);
  return open();
}

// Depth first. The last name of each level is the one that is being removed: all but the deepest lead down the stack.
class Removal {
 public:
  Removal(std::string path, Fd root) : path_(std::move(path)), stack_(std::move(root)) {}

  Result<void> empty() {
    TRY(look());
    while (true) {
      if (!left_.back().empty()) {
        TRY(remove_next());
      } else {
        left_.pop_back();
        if (left_.empty()) return {};
        TRY(stack_.pop());
        TRY(remove_directory());
      }
    }
  }

 private:
  // Takes up the directory at the top of the stack.
  Result<void> look() {
    ::fchmod(stack_.top(), 0700);  // a read-only cache entry; a failure shows when its entries are removed
    auto names = names_in(stack_.top(), path_);
    if (!names && names.error().code != Code::not_found) return names.error();
    left_.push_back(names ? *std::move(names) : std::vector<std::string>());
    return {};
  }

  Result<void> remove_next() {
    const int parent = stack_.top();
    const std::string name = left_.back().back();
    const int number = remove_file(parent, name);
    if (number == EISDIR) {
      const auto entered = opened(parent, name, [&] { return stack_.push(name); });
      if (entered) return look();
      if (entered.error().code != Code::not_found) return entered;
    } else if (number != 0) {
      return system_error("remove", path_of_next(), number);
    }
    left_.back().pop_back();
    return {};
  }

  Result<void> remove_directory() {
    if (::unlinkat(stack_.top(), left_.back().back().c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
      return system_error("remove", path_of_next(), errno);
    left_.back().pop_back();
    return {};
  }

  std::string path_of_next() const {
    std::string path = path_;
    for (const auto& names : left_) path += concat("/", names.back());
    return path;
  }

  std::string path_;
  DirectoryStack stack_;
  std::vector<std::vector<std::string>> left_;
};

}  // namespace

Result<void> remove_tree(const std::string& path) {
  const int number = remove_file(AT_FDCWD, path);
  if (number == 0) return {};
  if (number != EISDIR) return system_error("remove", path, number);
  auto root = opened(AT_FDCWD, path, [&] { return os::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW); });
  if (!root) return root.error();
  TRY(Removal(path, *std::move(root)).empty());
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return system_error("remove", path, errno);
  return {};
}

}  // namespace studio::os
