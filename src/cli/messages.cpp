#include "cli/messages.hpp"

#include "base/concat.hpp"
#include "base/display.hpp"
#include "os/fd.hpp"
#include "os/terminal.hpp"

namespace studio::cli {

namespace {

constexpr std::string_view k_erase_line = "\r\x1b[K";

}  // namespace

Messages::Messages(int fd) : fd_(fd), is_terminal_(os::is_terminal(fd)) {}

void Messages::report(engine::Severity severity, std::string_view text) {
  if (severity == engine::Severity::detail && verbosity_ != Verbosity::verbose) return;
  if (severity == engine::Severity::notice && verbosity_ == Verbosity::quiet) return;
  const std::lock_guard lock(mutex_);
  write(concat("studio: ", severity == engine::Severity::warning ? "warning: " : "", one_line(text), "\n"));
}

void Messages::error(const Error& error) {
  std::string text = concat("studio: error: ", one_line(error.message), "\n");
  if (!error.hint.empty()) text += concat("hint: ", one_line(error.hint), "\n");
  const std::lock_guard lock(mutex_);
  write(std::move(text));
}

void Messages::show_progress(std::string_view line) {
  if (!shows_progress()) return;
  const std::lock_guard lock(mutex_);
  write(one_line(line));
  progress_is_shown_ = true;
}

void Messages::erase_progress() {
  const std::lock_guard lock(mutex_);
  if (progress_is_shown_) write({});
}

void Messages::write(std::string text) {
  if (progress_is_shown_) text.insert(0, k_erase_line);
  progress_is_shown_ = false;
  os::Fd borrowed(fd_);
  (void)os::write_all(borrowed, as_bytes(text), "standard error");
  (void)borrowed.release();
}

std::string one_line(std::string_view text) {
  std::string line;
  std::size_t plain = 0;
  // printable() piece by piece, for the backslashes.
  while (plain < text.size()) {
    const std::size_t backslash = text.find('\\', plain);
    line += printable(text.substr(plain, backslash - plain));
    if (backslash == text.npos) break;
    line += '\\';
    plain = backslash + 1;
  }
  return line;
}

}  // namespace studio::cli
