#include "cli/run_record.hpp"

#include <algorithm>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/format.hpp"
#include "os/signals.hpp"

namespace studio::cli {

namespace {

using nlohmann::ordered_json;

ordered_json text_or_null(std::string_view text) { return text.empty() ? ordered_json() : ordered_json(to_utf8(text)); }

ordered_json time_json(const std::optional<WallTime>& time) {
  return time ? ordered_json(format_time(*time)) : ordered_json();
}

double seconds_between(WallTime from, WallTime to) { return std::chrono::duration<double>(to - from).count(); }

ordered_json exit_code_json(const model::Attempt& attempt) {
  return attempt.exit_code ? ordered_json(*attempt.exit_code) : ordered_json();
}

ordered_json signal_json(const model::Attempt& attempt) {
  return attempt.signal ? ordered_json(os::signal_name(*attempt.signal)) : ordered_json();
}

ordered_json duration_json(const model::Attempt& attempt) {
  return attempt.ended ? ordered_json(seconds_between(attempt.started, *attempt.ended)) : ordered_json();
}

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

ordered_json run_json(const model::Experiment& experiment) {
  const model::Attempt& last = experiment.last();
  ordered_json command = ordered_json::array();
  for (const std::string& word : experiment.command) command.push_back(to_utf8(word));
  return {{"key", experiment.key},
          {"project", experiment.project},
          {"owner", to_utf8(experiment.owner)},
          {"status", model::name_of(last.state)},
          {"failure", text_or_null(last.failure)},
          {"exit_code", exit_code_json(last)},
          {"signal", signal_json(last)},
          {"reason", text_or_null(last.reason)},
          {"attempt", last.number},
          {"attempts", experiment.attempts.size()},
          {"command", std::move(command)},
          {"directory", to_utf8(experiment.directory)},
          {"created", format_time(experiment.created)},
          {"started", format_time(last.started)},
          {"ended", time_json(last.ended)},
          {"duration_seconds", duration_json(last)}};
}

ordered_json attempt_json(const model::Attempt& attempt) {
  ordered_json artifacts = ordered_json::array();
  for (const model::Artifact& artifact : attempt.artifacts)
    artifacts.push_back({{"tag", artifact.tag},
                         {"path", to_utf8(artifact.path)},
                         {"mode", model::name_of(artifact.mode)},
                         {"default", artifact.is_default},
                         {"source", source_json(artifact.source)},
                         {"first_version", version_json(artifact.first_version)},
                         {"last_version", version_json(artifact.last_version)}});
  return {
      {"number", attempt.number},
      {"status", model::name_of(attempt.state)},
      {"failure", text_or_null(attempt.failure)},
      {"exit_code", exit_code_json(attempt)},
      {"signal", signal_json(attempt)},
      {"reason", text_or_null(attempt.reason)},
      {"started", format_time(attempt.started)},
      {"ended", time_json(attempt.ended)},
      {"duration_seconds", duration_json(attempt)},
      {"process",
       {{"host", text_or_null(attempt.process.host)},
        {"studio_pid", attempt.process.studio_pid},
        {"script_pid", attempt.process.script_pid == 0 ? ordered_json() : ordered_json(attempt.process.script_pid)}}},
      {"usage",
       {{"user_seconds", attempt.usage.user_seconds},
        {"system_seconds", attempt.usage.system_seconds},
        {"peak_memory_bytes", attempt.usage.peak_memory_bytes}}},
      {"artifacts", std::move(artifacts)}};
}

ordered_json version_json(const std::optional<std::uint64_t>& number) {
  return number ? ordered_json(model::version_name(*number)) : ordered_json();
}

ordered_json source_json(const std::optional<model::ArtifactSource>& source) {
  if (!source) return ordered_json();
  return concat(source->experiment, "/", source->tag, "@", model::version_name(source->version));
}

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
