// Paths as people type them, made absolute; and where the user and the programs live.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace studio::os {

// Every function here is thread-safe as long as no thread changes this process's environment or current directory.

// Expands a leading `~` and `~user` exactly as Python's os.path.expanduser does (an unknown user stays as typed), and
// `$VAR` and `${VAR}` from our environment. What a variable holds is not expanded again. `invalid`, naming it, if a
// variable is not set or a `${` is not closed; a `$` before anything but a name or `{` stays.
Result<std::string> expand(std::string_view text);

// Removes `.`, `..`, doubled and trailing slashes without looking at the file system: of "a/link/.." remains "a". An
// absolute path stays within "/"; a relative one keeps the ".." that lead out of it. "." for nothing.
std::string normalised(std::string_view path);

// `path` as seen from `directory` (which is absolute), normalised.
std::string absolute(std::string_view path, std::string_view directory);

// The directory part of a path; "." if it has none.
std::string parent_of(const std::string& path);
// What follows the last slash.
std::string base_name_of(const std::string& path);

Result<std::string> current_directory();
// realpath(3): absolute, and through no symlink. Its error says that it could not `verb` the path.
Result<std::string> real_path(const std::string& path, std::string_view verb);

// expand(), then absolute() from the current directory. `invalid` for empty text.
Result<std::string> resolve(std::string_view text);

// $HOME, else what the user database says, else "/".
std::string home_directory();

// The name of the effective user in the user database, else $USER or $LOGNAME, else the number.
std::string login_name();

// The absolute path of the executable file that a shell in `directory` would run for `name`: looked for in the
// colon-separated `search` (PATH), unless the name has a slash.
std::optional<std::string> find_program(std::string_view name, std::string_view search, std::string_view directory);

// PATH where there is none in the environment.
inline constexpr std::string_view k_default_search = "/usr/local/bin:/usr/bin:/bin";

}  // namespace studio::os
