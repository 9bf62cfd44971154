#include "cli/run_record.hpp"

#include <algorithm>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/format.hpp"
#include "os/signals.hpp"

namespace studio::cli {

namespace {

double seconds_between(WallTime from, WallTime to) { return std::chrono::duration<double>(to - from).count(); }

bool needs_no_quotes(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./=:,@%+").find(c) != std::string_view::npos || static_cast<unsigned char>(c) >= 0x80;
  });
}

std::string in_quotes(std::string_view word) {
  const std::string shown = printable(word);
  if (needs_no_quotes(word)) return shown;
  if (word.find('\'') == word.npos) return concat("'", shown, "'");
  std::string text = "'";
  for (const char c : shown) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

Colour colour_of(model::State state) {
  switch (state) {
    case model::State::starting:
    case model::State::running: return Colour::live;
    case model::State::finished: return Colour::good;
    case model::State::failed:
    case model::State::killed:
    case model::State::lost: return Colour::bad;
    case model::State::stopped: return Colour::none;
  }
  return Colour::none;
}

std::string exit_text(const model::Attempt& attempt) {
  if (attempt.signal) return os::signal_name(*attempt.signal);
  return attempt.exit_code ? std::to_string(*attempt.exit_code) : std::string();
}

std::string duration_text(const model::Attempt& attempt, WallTime now) {
  if (attempt.ended) return format_seconds(seconds_between(attempt.started, *attempt.ended));
  return model::is_live(attempt.state) ? format_seconds(seconds_between(attempt.started, now)) : std::string();
}

std::string command_text(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) text += concat(text.empty() ? "" : " ", in_quotes(word));
  return text;
}

}  // namespace studio::cli
