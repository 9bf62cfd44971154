// What the program answers to its caller (doc/cli.md, "Exit codes"). Errors become numbers here and nowhere else.
#pragma once

#include "base/result.hpp"

namespace studio::cli {

inline constexpr int k_exit_success = 0;
inline constexpr int k_exit_difference = 1;  // `artifacts diff` found one, `store verify` found damage
inline constexpr int k_exit_config = 251;
inline constexpr int k_exit_interrupted = 252;
inline constexpr int k_exit_usage = 254;
inline constexpr int k_exit_failure = 255;

// Of an error that is not about the configuration.
int exit_code_of(const Error& error);

// An error that `invalid` or `not_found` deep inside (a store that cannot be opened, a file of Studio's own that is
// gone) must not blame on the command line.
Error no_usage_error(Error error);

// The command line cannot be honoured; `hint` shows a correct form.
Error usage_error(std::string message, std::string hint);

}  // namespace studio::cli
