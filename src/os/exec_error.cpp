#include "os/exec_error.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/bytes.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"

namespace studio::os {

namespace {

// The kernel looks at no more of a file to find its `#!` line.
constexpr std::size_t k_head = 256;

std::string head_of(const std::string& path) {
  const auto fd = open(path, O_RDONLY | O_NONBLOCK);
  if (!fd) return {};
  Bytes bytes(k_head);
  const auto got = read_at(*fd, 0, bytes, path);
  if (!got) return {};
  bytes.resize(*got);
  return to_text(bytes);
}

// The interpreter named by a first line "#! /bin/sh -e": "/bin/sh"; empty if there is no such line.
std::string interpreter_of(const std::string& path) {
  const std::string head = head_of(path);
  if (!head.starts_with("#!")) return {};
  const std::string line = head.substr(2, head.find('\n') - 2);
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return line.substr(begin, line.find_first_of(" \t", begin) - begin);
}

Error missing_interpreter(const std::string& program, const std::string& interpreter) {
  Error error{Code::invalid, concat("cannot run '", printable(program), "': its interpreter '", printable(interpreter),
                                    "' (named by its #! line) does not exist")};
  if (interpreter.ends_with('\r')) error.hint = "the line ends as on Windows: convert the file with dos2unix";
  return error;
}

Error not_permitted(const std::string& program, const std::string& path) {
  struct stat info {};
  Error error = system_error("run", program, EACCES);
  if (::stat(path.c_str(), &info) != 0) return error;
  if (S_ISDIR(info.st_mode))
    return Error{Code::invalid, concat("cannot run '", printable(program), "': it is a directory")};
  const std::string interpreter = interpreter_of(path);
  if ((info.st_mode & 0111) == 0) {
    error.message = concat("cannot run '", printable(program), "': it is not executable");
    error.hint = concat("chmod +x '", printable(program), "'");
  } else if (!interpreter.empty() && ::access(interpreter.c_str(), X_OK) != 0) {
    error.message = concat("cannot run '", printable(program), "': its interpreter '", printable(interpreter),
                           "' (named by its #! line) is not executable");
  }
  return error;
}

}  // namespace

Error exec_error(const std::string& program, const std::string& path, int number) {
  struct stat info {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  const std::string shown = printable(program);
  switch (number) {
    case ENOENT: {
      if (!exists) return system_error("run", program, number);
      const std::string interpreter = interpreter_of(path);
      if (!interpreter.empty()) return missing_interpreter(program, interpreter);
      return Error{Code::invalid, concat("cannot run '", shown, "': the loader it was built for does not exist here")};
    }
    case EACCES: return not_permitted(program, path);
    case ENOEXEC:
      if (info.st_size == 0) return Error{Code::invalid, concat("cannot run '", shown, "': the file is empty")};
      return Error{Code::invalid,
                   concat("cannot run '", shown, "': it is neither a program for this machine nor a script")};
    case E2BIG:
      return Error{Code::invalid, concat("cannot run '", shown, "': its arguments and environment are too long")};
    default: return system_error("run", program, number);
  }
}

bool is_plain_script(const std::string& path) {
  const std::string head = head_of(path);
  return !head.empty() && head.find('\0') == std::string::npos;
}

}  // namespace studio::os
