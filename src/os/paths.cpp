#include "os/paths.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "os/error.hpp"

namespace studio::os {

namespace {

struct User {
  std::string name;
  std::string home;
};

// `lookup` is getpwnam_r or getpwuid_r with its key bound.
template <class Lookup>
std::optional<User> find_user(Lookup lookup) {
  std::vector<char> buffer(4096);
  while (true) {
    passwd entry{};
    passwd* found = nullptr;
    const int number = lookup(&entry, buffer.data(), buffer.size(), &found);
    if (number == ERANGE && buffer.size() < (std::size_t{1} << 20)) {
      buffer.resize(buffer.size() * 2);
      continue;
    }
    if (found == nullptr) return std::nullopt;
    return User{entry.pw_name, entry.pw_dir};
  }
}

std::optional<User> user_by_id(uid_t id) {
  return find_user([id](auto... rest) { return ::getpwuid_r(id, rest...); });
}

std::optional<User> user_by_name(const std::string& name) {
  return find_user([&name](auto... rest) { return ::getpwnam_r(name.c_str(), rest...); });
}

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool continues_name(char c) { return starts_name(c) || (c >= '0' && c <= '9'); }

std::string_view leading_name(std::string_view text) {
  std::size_t length = 0;
  if (!text.empty() && starts_name(text[0]))
    while (length < text.size() && continues_name(text[length])) ++length;
  return text.substr(0, length);
}

// The directory for the prefix "~" or "~user"; nothing if there is none, then the prefix stays.
std::optional<std::string> home_of(std::string_view prefix) {
  std::optional<User> user;
  if (prefix.size() == 1) {
    if (const char* home = std::getenv("HOME")) return home;
    user = user_by_id(::getuid());
  } else {
    user = user_by_name(std::string(prefix.substr(1)));
  }
  if (!user) return std::nullopt;
  return user->home;
}

// Takes "$NAME" or "${NAME}" off the front of `text`, which begins with '$', and appends what it stands for.
Result<void> expand_variable(std::string_view& text, std::string_view whole, std::string& out) {
  const bool braced = text.size() > 1 && text[1] == '{';
  const std::string_view name = leading_name(text.substr(braced ? 2 : 1));
  if (braced && (name.empty() || text.substr(2 + name.size(), 1) != "}"))
    return Error{Code::invalid, concat("'", printable(whole), "' has a '${' that is not followed by a name and '}'")};
  if (name.empty()) {
    out.push_back('$');
    text.remove_prefix(1);
    return {};
  }
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr)
    return Error{Code::invalid, concat("'", printable(whole), "': the variable ", name, " is not set")};
  out.append(value);
  text.remove_prefix(name.size() + (braced ? 3 : 1));
  return {};
}

bool is_executable_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
}

// The parts of `text` between the separators, empty ones included.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// As absolute(), but a ".." stays: the kernel follows the links before it, and it is the kernel that runs the program.
std::string joined(std::string_view directory, std::string_view path) {
  if (path.find("..") == std::string_view::npos) return absolute(path, directory);
  return path.starts_with('/') ? std::string(path) : concat(directory, "/", path);
}

}  // namespace

Result<std::string> expand(std::string_view text) {
  const std::string_view whole = text;
  std::string out;
  bool home_expanded = false;
  if (text.starts_with('~')) {
    const std::string_view prefix = text.substr(0, text.find('/'));
    if (auto home = home_of(prefix)) {
      while (home->ends_with('/')) home->pop_back();
      out = std::move(*home);
      home_expanded = true;
    } else {
      out = prefix;
    }
    text.remove_prefix(prefix.size());
  }
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('$'), text.size());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (!text.empty()) TRY(expand_variable(text, whole, out));
  }
  if (home_expanded && out.empty()) return std::string("/");  // HOME=/ and the text "~"
  return out;
}

std::string normalised(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string_view> kept;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      kept.push_back(part);
    } else if (!kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (!rooted) {
      kept.push_back(part);
    }
  }
  std::string out;
  for (const std::string_view part : kept) {
    if (rooted || !out.empty()) out.push_back('/');
    out.append(part);
  }
  if (out.empty()) return rooted ? "/" : ".";
  return out;
}

std::string absolute(std::string_view path, std::string_view directory) {
  return normalised(path.starts_with('/') ? std::string(path) : concat(directory, "/", path));
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string base_name_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Result<std::string> current_directory() {
  const std::unique_ptr<char, decltype(&std::free)> path(::getcwd(nullptr, 0), std::free);
  if (!path) return system_error("find the current directory", ".", errno);
  // A directory outside of our root, after chroot or a lazy unmount, is reported as "(unreachable)/…".
  if (*path != '/') return Error{Code::not_found, concat("the current directory cannot be reached: ", path.get())};
  return std::string(path.get());
}

Result<std::string> real_path(const std::string& path, std::string_view verb) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), std::free);
  if (!real) return system_error(verb, path, errno);
  return std::string(real.get());
}

Result<std::string> resolve(std::string_view text) {
  if (text.empty()) return Error{Code::invalid, "a path is empty"};
  TRY_ASSIGN(const std::string expanded, expand(text));
  if (expanded.starts_with('/')) return normalised(expanded);
  TRY_ASSIGN(const std::string directory, current_directory());
  return absolute(expanded, directory);
}

std::string home_directory() {
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return home;
  const auto user = user_by_id(::getuid());
  return user && !user->home.empty() ? user->home : "/";
}

std::string login_name() {
  if (const auto user = user_by_id(::geteuid())) return user->name;
  for (const char* variable : {"USER", "LOGNAME"}) {
    const char* name = std::getenv(variable);
    if (name != nullptr && *name != '\0') return name;
  }
  return std::to_string(::geteuid());
}

std::optional<std::string> find_program(std::string_view name, std::string_view search, std::string_view directory) {
  if (name.empty()) return std::nullopt;
  if (name.find('/') != std::string_view::npos) {
    std::string path = joined(directory, name);
    // A trailing slash, which normalising took off, demands a directory.
    if (!name.ends_with('/') && is_executable_file(path)) return path;
    return std::nullopt;
  }
  if (search.empty()) return std::nullopt;
  for (const std::string_view entry : split(search, ':')) {
    // An empty entry means the current directory.
    std::string path = joined(joined(directory, entry), name);
    if (is_executable_file(path)) return path;
  }
  return std::nullopt;
}

}  // namespace studio::os
