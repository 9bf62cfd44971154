#include "cli/record_json.hpp"

#include "base/concat.hpp"
#include "base/display.hpp"
#include "os/signals.hpp"

namespace studio::cli {

namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(to_utf8(text)); }

template <class Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json version_or_null(const std::optional<std::uint64_t>& number) {
  return number ? Json(model::version_name(*number)) : Json(nullptr);
}

// What RUN and ATTEMPT have in common.
void add_end(Json& json, const model::Attempt& attempt) {
  json["status"] = model::name_of(attempt.state);
  json["failure"] = text_or_null(attempt.failure);
  json["exit_code"] = or_null(attempt.exit_code);
  json["signal"] = attempt.signal ? Json(os::signal_name(*attempt.signal)) : Json(nullptr);
  json["reason"] = text_or_null(attempt.reason);
}

void add_times(Json& json, const model::Attempt& attempt, WallTime now) {
  json["started"] = format_time(attempt.started);
  json["ended"] = time_or_null(attempt.ended);
  json["duration_seconds"] = duration_of(attempt, now);
}

Json artifact_json(const model::Artifact& artifact) {
  Json source = nullptr;
  if (artifact.source)
    source = concat(artifact.source->experiment, "/", artifact.source->tag, "@",
                    model::version_name(artifact.source->version));
  return {{"tag", artifact.tag},
          {"path", to_utf8(artifact.path)},
          {"mode", model::name_of(artifact.mode)},
          {"default", artifact.is_default},
          {"source", source},
          {"first_version", version_or_null(artifact.first_version)},
          {"last_version", version_or_null(artifact.last_version)}};
}

}  // namespace

Json time_or_null(const std::optional<WallTime>& time) { return time ? Json(format_time(*time)) : Json(nullptr); }

std::string full_name(const model::Version& version) {
  return concat(version.experiment, "/", version.tag, "@", model::version_name(version.number));
}

double duration_of(const model::Attempt& attempt, WallTime now) {
  return std::chrono::duration<double>(attempt.ended.value_or(now) - attempt.started).count();
}

Json run_json(const model::Experiment& experiment, WallTime now) {
  Json command = Json::array();
  for (const std::string& argument : experiment.command) command.push_back(to_utf8(argument));
  Json json{{"key", experiment.key}, {"project", experiment.project}, {"owner", experiment.owner}};
  add_end(json, experiment.last());
  json["attempt"] = experiment.last().number;
  json["attempts"] = experiment.attempts.size();
  json["command"] = command;
  json["directory"] = to_utf8(experiment.directory);
  json["created"] = format_time(experiment.created);
  add_times(json, experiment.last(), now);
  return json;
}

Json attempt_json(const model::Attempt& attempt, WallTime now) {
  Json json = Json::object();
  json["number"] = attempt.number;
  add_end(json, attempt);
  add_times(json, attempt, now);
  json["process"] = {{"host", attempt.process.host},
                     {"studio_pid", attempt.process.studio_pid},
                     {"script_pid", attempt.process.script_pid}};
  json["usage"] = {{"user_seconds", attempt.usage.user_seconds},
                   {"system_seconds", attempt.usage.system_seconds},
                   {"peak_memory_bytes", attempt.usage.peak_memory_bytes}};
  json["artifacts"] = Json::array();
  for (const model::Artifact& artifact : attempt.artifacts) json["artifacts"].push_back(artifact_json(artifact));
  return json;
}

Json version_json(const model::Version& version) {
  Json problems = Json::array();
  for (const model::Problem& problem : version.problems)
    problems.push_back({{"path", to_utf8(problem.path)}, {"problem", to_utf8(problem.problem)}});
  return {{"version", model::version_name(version.number)},
          {"number", version.number},
          {"created", format_time(version.created)},
          {"attempt", version.attempt},
          {"reason", model::name_of(version.reason)},
          {"digest", version.root.digest.hex()},
          {"files", version.totals.files},
          {"bytes", version.totals.bytes},
          {"changes",
           {{"added", version.changes.added},
            {"modified", version.changes.modified},
            {"removed", version.changes.removed}}},
          {"new_bytes", version.new_bytes},
          {"stored_bytes", version.stored_bytes},
          {"complete", version.complete()},
          {"problems", problems}};
}

}  // namespace studio::cli
