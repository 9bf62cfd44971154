#include "model/experiment.hpp"

#include "model/json_fields.hpp"

namespace studio::model {

namespace {

constexpr std::int64_t k_format = 1;

constexpr std::array<Named<State>, 7> k_states{{{State::starting, "starting"},
                                                {State::running, "running"},
                                                {State::finished, "finished"},
                                                {State::failed, "failed"},
                                                {State::killed, "killed"},
                                                {State::stopped, "stopped"},
                                                {State::lost, "lost"}}};

constexpr std::array<Named<CaptureMode>, 3> k_modes{
    {{CaptureMode::capture, "capture"}, {CaptureMode::once, "once"}, {CaptureMode::reuse, "reuse"}}};

constexpr std::array<Named<MetricGoal>, 3> k_goals{
    {{MetricGoal::min, "min"}, {MetricGoal::max, "max"}, {MetricGoal::last, "last"}}};

constexpr std::array<Named<StopRequest>, 3> k_stop_requests{
    {{StopRequest::none, "none"}, {StopRequest::stop, "stop"}, {StopRequest::kill, "kill"}}};

nlohmann::json artifact_to_json(const Artifact& artifact) {
  nlohmann::json source;
  if (artifact.source)
    source = {{"experiment", byte_string(artifact.source->experiment)},
              {"tag", byte_string(artifact.source->tag)},
              {"version", artifact.source->version}};
  return {{"tag", byte_string(artifact.tag)},
          {"path", byte_string(artifact.path)},
          {"mode", name_of(artifact.mode)},
          {"default", artifact.is_default},
          {"source", std::move(source)},
          {"first_version", optional_number(artifact.first_version)},
          {"last_version", optional_number(artifact.last_version)}};
}

nlohmann::json process_to_json(const ProcessInfo& process) {
  return {{"host", byte_string(process.host)},
          {"studio_pid", process.studio_pid},
          {"script_pid", process.script_pid},
          {"script_start", process.script_start}};
}

nlohmann::json usage_to_json(const Usage& usage) {
  return {{"user_seconds", usage.user_seconds},
          {"system_seconds", usage.system_seconds},
          {"peak_memory_bytes", usage.peak_memory_bytes}};
}

nlohmann::json metric_to_json(const Metric& metric) {
  return {{"name", byte_string(metric.name)},
          {"goal", name_of(metric.goal)},
          {"value", metric.value ? nlohmann::json(metric.value->number) : nlohmann::json()},
          {"step", metric.value ? nlohmann::json(metric.value->step) : nlohmann::json()}};
}

nlohmann::json attempt_to_json(const Attempt& attempt) {
  auto metrics = nlohmann::json::array();
  for (const Metric& metric : attempt.metrics) metrics.push_back(metric_to_json(metric));
  auto artifacts = nlohmann::json::array();
  for (const Artifact& artifact : attempt.artifacts) artifacts.push_back(artifact_to_json(artifact));
  return {{"number", attempt.number},
          {"state", name_of(attempt.state)},
          {"failure", attempt.failure.empty() ? nlohmann::json() : byte_string(attempt.failure)},
          {"exit_code", optional_number(attempt.exit_code)},
          {"signal", optional_number(attempt.signal)},
          {"reason", byte_string(attempt.reason)},
          {"started", format_time(attempt.started)},
          {"ended", optional_time(attempt.ended)},
          {"process", process_to_json(attempt.process)},
          {"usage", usage_to_json(attempt.usage)},
          {"artifacts", std::move(artifacts)},
          {"metrics", std::move(metrics)}};
}

ArtifactSource read_source(FieldReader in) {
  ArtifactSource source;
  source.experiment = in.name("experiment");
  source.tag = in.name("tag");
  source.version = in.count("version");
  return source;
}

Artifact read_artifact(FieldReader& in) {
  Artifact artifact;
  artifact.tag = in.name("tag");
  artifact.path = in.bytes("path");
  in.require(artifact.path.starts_with('/') && artifact.path.find('\0') == std::string::npos, "path",
             "is not an absolute path");
  artifact.mode = in.one_of("mode", k_modes);
  artifact.is_default = in.boolean("default");
  if (in.has("source")) artifact.source = read_source(in.object("source"));
  in.require(artifact.source.has_value() == (artifact.mode == CaptureMode::reuse), "source", "does not match the mode");
  artifact.first_version = in.optional_count("first_version");
  artifact.last_version = in.optional_count("last_version");
  in.require(!artifact.first_version || !artifact.last_version || *artifact.first_version <= *artifact.last_version,
             "last_version", "is before the first version");
  return artifact;
}

ProcessInfo read_process(FieldReader in) {
  ProcessInfo process;
  process.host = in.bytes("host");
  process.studio_pid = in.integer("studio_pid", 0, k_greatest_integer);
  process.script_pid = in.integer("script_pid", 0, k_greatest_integer);
  process.script_start = in.count("script_start");
  return process;
}

Usage read_usage(FieldReader in) {
  return {in.seconds("user_seconds"), in.seconds("system_seconds"), in.count("peak_memory_bytes")};
}

Metric read_metric(FieldReader& in) {
  Metric metric;
  metric.name = in.bytes("name");
  in.require(!metric.name.empty(), "name", "is empty");
  metric.goal = in.one_of("goal", k_goals);
  in.require(in.has("value") == in.has("step"), "step", "does not match the value");
  if (in.has("value")) metric.value = {in.real("value"), in.integer("step", INT64_MIN, INT64_MAX)};
  return metric;
}

Attempt read_attempt(FieldReader& in) {
  Attempt attempt;
  attempt.number = in.count("number");
  attempt.state = in.one_of("state", k_states);
  if (in.has("failure")) {
    attempt.failure = in.bytes("failure");
    in.require(attempt.failure == "script" || attempt.failure == "studio", "failure", "has an unknown value");
  }
  if (in.has("exit_code")) attempt.exit_code = static_cast<int>(in.integer("exit_code", 0, 255));
  if (in.has("signal")) attempt.signal = static_cast<int>(in.integer("signal", 1, 127));
  attempt.reason = in.bytes("reason");
  attempt.started = in.time("started");
  attempt.ended = in.optional_time("ended");
  attempt.process = read_process(in.object("process"));
  attempt.usage = read_usage(in.object("usage"));
  in.each("artifacts", [&](FieldReader& item) { attempt.artifacts.push_back(read_artifact(item)); });
  if (in.has("metrics"))  // older records have none
    in.each("metrics", [&](FieldReader& item) { attempt.metrics.push_back(read_metric(item)); });
  return attempt;
}

std::vector<Attempt> read_attempts(FieldReader& in) {
  std::vector<Attempt> attempts;
  in.each("attempts", [&](FieldReader& item) {
    Attempt attempt = read_attempt(item);
    item.require(attempts.empty() || attempts.back().number < attempt.number, "number",
                 "is not above that of the attempt before");
    attempts.push_back(std::move(attempt));
  });
  in.require(!attempts.empty(), "attempts", "is empty");
  return attempts;
}

}  // namespace

std::string_view name_of(State state) { return name_in(k_states, state); }
std::optional<State> parse_state(std::string_view name) { return value_in(k_states, name); }
std::string_view name_of(CaptureMode mode) { return name_in(k_modes, mode); }
std::string_view name_of(MetricGoal goal) { return name_in(k_goals, goal); }
std::optional<MetricGoal> parse_metric_goal(std::string_view name) { return value_in(k_goals, name); }

nlohmann::json to_json(const Experiment& experiment) {
  auto command = nlohmann::json::array();
  for (const std::string& word : experiment.command) command.push_back(byte_string(word));
  auto attempts = nlohmann::json::array({attempt_to_json(experiment.attempt)});
  nlohmann::json json{{"format", k_format},
                      {"key", byte_string(experiment.key)},
                      {"project", byte_string(experiment.project)},
                      {"owner", byte_string(experiment.owner)},
                      {"command", std::move(command)},
                      {"directory", byte_string(experiment.directory)},
                      {"studio_version", byte_string(experiment.studio_version)},
                      {"created", format_time(experiment.created)},
                      {"stop_request", name_in(k_stop_requests, experiment.stop_request)},
                      {"revision", experiment.revision},
                      {"attempts", std::move(attempts)}};
  if (experiment.deleted) json["deleted"] = format_time(*experiment.deleted);
  return json;
}

Result<Experiment> experiment_from_json(const nlohmann::json& json) {
  FieldReader in(json, "experiment record");
  in.format(k_format);
  Experiment experiment;
  experiment.key = in.name("key");
  experiment.project = in.name("project");
  experiment.owner = in.bytes("owner");
  experiment.command = in.byte_strings("command");
  experiment.directory = in.bytes("directory");
  experiment.studio_version = in.bytes("studio_version");
  experiment.created = in.time("created");
  experiment.deleted = in.optional_time("deleted");  // older records have none
  experiment.stop_request = in.one_of("stop_request", k_stop_requests);
  experiment.revision = in.count("revision");
  auto attempts = read_attempts(in);
  TRY(in.result());
  experiment.attempt = std::move(attempts.back());
  return experiment;
}

Result<std::vector<Attempt>> attempts_from_json(const nlohmann::json& json) {
  FieldReader in(json, "experiment record");
  auto attempts = read_attempts(in);
  TRY(in.result());
  return attempts;
}

nlohmann::json to_json(const Attempt& attempt, std::string_view experiment) {
  nlohmann::json json = attempt_to_json(attempt);
  json["format"] = k_format;
  json["experiment"] = byte_string(experiment);
  return json;
}

Result<Attempt> attempt_from_json(const nlohmann::json& json) {
  FieldReader in(json, "attempt record");
  in.format(k_format);
  in.name("experiment");
  Attempt attempt = read_attempt(in);
  TRY(in.result());
  return attempt;
}

}  // namespace studio::model
