#include "view/run.hpp"

#include <chrono>
#include <optional>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "content/repository.hpp"
#include "model/json_fields.hpp"
#include "os/signals.hpp"
#include "view/parameters.hpp"
#include "view/text.hpp"

namespace studio::view {

namespace {

using nlohmann::ordered_json;

ordered_json time_json(const std::optional<WallTime>& time) {
  return time ? ordered_json(format_time(*time)) : ordered_json();
}

ordered_json exit_code_json(const model::Attempt& attempt) {
  return attempt.exit_code ? ordered_json(*attempt.exit_code) : ordered_json();
}

ordered_json signal_json(const model::Attempt& attempt) {
  return attempt.signal ? ordered_json(os::signal_name(*attempt.signal)) : ordered_json();
}

ordered_json duration_json(const model::Attempt& attempt) {
  if (!attempt.ended) return ordered_json();
  return std::chrono::duration<double>(*attempt.ended - attempt.started).count();
}

// "v3"
ordered_json version_json(const std::optional<std::uint64_t>& number) {
  return number ? ordered_json(model::version_name(*number)) : ordered_json();
}

// "EXP/TAG@v3"
ordered_json source_json(const std::optional<model::ArtifactSource>& source) {
  if (!source) return ordered_json();
  return concat(source->experiment, "/", source->tag, "@", model::version_name(source->version));
}

ordered_json metrics_json(const model::Attempt& attempt) {
  ordered_json metrics = ordered_json::array();
  for (const model::Metric& metric : attempt.metrics)
    metrics.push_back({{"name", to_utf8(metric.name)},
                       {"goal", model::name_of(metric.goal)},
                       {"value", metric.value ? ordered_json(metric.value->number) : ordered_json()},
                       {"step", metric.value ? ordered_json(metric.value->step) : ordered_json()}});
  return metrics;
}

ordered_json parameters_json(const model::Experiment& experiment) {
  ordered_json list = ordered_json::array();
  for (const Parameter& parameter : parameters(experiment.command))
    list.push_back({{"name", to_utf8(parameter.name)}, {"value", to_utf8(parameter.value)}});
  return list;
}

// ATTEMPT
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
      {"metrics", metrics_json(attempt)},
      {"artifacts", std::move(artifacts)}};
}

// Nothing if there is no such object.
template <class Value>
Result<std::optional<Value>> load_object(blob::Store& objects, const std::string& object,
                                         Result<Value> (*parse)(const nlohmann::json&)) {
  const auto text = objects.get(object);
  if (!text && text.error().code == Code::not_found) return std::optional<Value>();
  if (!text) return text.error();
  const auto json = model::parse_json(as_text(*text));
  if (!json) return within(object, json.error());
  auto value = parse(*json);
  if (!value) return within(object, value.error());
  return std::optional(*std::move(value));
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
          {"attempts", last.number + 1},
          {"command", std::move(command)},
          {"parameters", parameters_json(experiment)},
          {"directory", to_utf8(experiment.directory)},
          {"created", format_time(experiment.created)},
          {"deleted", time_json(experiment.deleted)},
          {"started", format_time(last.started)},
          {"ended", time_json(last.ended)},
          {"duration_seconds", duration_json(last)},
          {"metrics", metrics_json(last)}};
}

ordered_json run_document(const model::Experiment& experiment, const std::vector<model::Attempt>& attempts,
                          const std::optional<model::Environment>& environment) {
  ordered_json json = run_json(experiment);
  json["studio_version"] = to_utf8(experiment.studio_version);
  json["history"] = ordered_json::array();
  for (const model::Attempt& attempt : attempts) json["history"].push_back(attempt_json(attempt));
  json["environment"] = environment ? ordered_json(model::to_json(*environment)) : ordered_json();
  return json;
}

Result<void> check_attempt(const std::string& experiment, const std::vector<model::Attempt>& attempts,
                           std::uint64_t number) {
  std::string numbers;
  for (const model::Attempt& attempt : attempts) {
    if (attempt.number == number) return {};
    numbers += concat(numbers.empty() ? "" : ", ", attempt.number);
  }
  return Error{Code::not_found, concat("experiment '", experiment, "' has no attempt ", number),
               concat("it has ", numbers)};
}

Result<std::optional<model::Environment>> load_environment(blob::Store& objects, std::string_view experiment,
                                                           std::uint64_t attempt) {
  return load_object<model::Environment>(objects, content::environment_key(experiment, attempt),
                                         model::environment_from_json);
}

Result<std::optional<model::ResourceSamples>> load_resources(blob::Store& objects, std::string_view experiment,
                                                             std::uint64_t attempt) {
  return load_object<model::ResourceSamples>(objects, content::resources_key(experiment, attempt),
                                             model::resources_from_json);
}

}  // namespace studio::view
