// Why a program could not be run, in words that help: execve(2) says ENOENT for a missing program and for a missing
// interpreter alike.
#pragma once

#include <string>

#include "base/result.hpp"

namespace studio::os {

// `program` as the user typed it, `path` where it was found, `number` what execve said. Looks at the file.
Error exec_error(const std::string& program, const std::string& path, int number);

// Whether a file that execve refused with ENOEXEC is a script without a `#!` line, rather than a foreign binary.
bool is_plain_script(const std::string& path);

}  // namespace studio::os
