// Standard error: notices, warnings, errors and, on a terminal, progress. Standard output is data alone
// (cli/output.hpp).
#pragma once

#include <unistd.h>

#include <mutex>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "engine/services.hpp"

namespace studio::cli {

enum class Verbosity { quiet, normal, verbose };

// Thread-safe; a line is one write(2), so that lines of several processes do not mix. Failures to write are ignored:
// there is nowhere left to tell of them.
class Messages {
 public:
  explicit Messages(int fd = STDERR_FILENO);

  void set_verbosity(Verbosity verbosity) { verbosity_ = verbosity; }

  // "studio: TEXT" or "studio: warning: TEXT". Notices are left out when quiet, details unless verbose.
  void report(engine::Severity severity, std::string_view text);
  // "studio: error: WHAT" and, if there is one, "hint: …".
  void error(const Error& error);

  // Whether progress would be seen at all.
  bool shows_progress() const { return is_terminal_ && verbosity_ != Verbosity::quiet; }
  // Replaces the line of progress. It goes away before the next message, and with erase_progress().
  void show_progress(std::string_view line);
  void erase_progress();

 private:
  void write(std::string text);  // expects mutex_ to be held

  const int fd_;
  const bool is_terminal_;
  Verbosity verbosity_ = Verbosity::normal;
  std::mutex mutex_;
  bool progress_is_shown_ = false;
};

// The text on one line and without escape sequences: control characters and bytes that are not UTF-8 as \n, \x1b.
// Unlike printable() it leaves backslashes alone: names inside a message have been escaped already.
std::string one_line(std::string_view text);

}  // namespace studio::cli
