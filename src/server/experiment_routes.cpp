#include "server/experiment_routes.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "server/answer.hpp"
#include "server/find.hpp"
#include "view/artifact.hpp"
#include "view/run.hpp"

namespace studio::server {

namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t k_usual_page = 100;
constexpr std::uint64_t k_most_on_page = 1000;

Result<void> list_experiments(const Backend& backend, Call& call) {
  catalog::Filter filter;
  filter.project = call.target.parameter("project");
  filter.key_prefix = call.target.parameter("prefix");
  for (const auto& [name, value] : call.target.query) {
    if (name != "status") continue;
    const auto state = model::parse_state(value);
    if (!state) return Error{Code::invalid, concat("the parameter 'status' is no status: '", value, "'")};
    filter.states.push_back(*state);
  }
  TRY_ASSIGN(const std::uint64_t limit, number_parameter(call, "limit", k_usual_page, k_most_on_page));
  TRY_ASSIGN(const auto experiments, backend.catalog.list(filter, limit));
  ordered_json runs = ordered_json::array();
  for (const model::Experiment& experiment : experiments) runs.push_back(view::run_json(experiment));
  answer_json(call, {{"runs", std::move(runs)}});
  return {};
}

Result<void> show_experiment(const Backend& backend, Call& call) {
  TRY_ASSIGN(const model::Experiment experiment, find_experiment(backend, call));
  TRY_ASSIGN(const std::uint64_t attempt, number_parameter(call, "attempt", experiment.last().number, INT64_MAX));
  TRY_ASSIGN(const auto attempts, backend.catalog.attempts(experiment.key, 0));
  TRY(view::check_attempt(experiment.key, attempts, attempt));
  auto environment = view::load_environment(backend.repository.objects(), experiment.key, attempt);
  // All else can be shown where it cannot be read.
  const bool is_unreadable =
      !environment && (environment.error().code == Code::corrupt || environment.error().code == Code::unsupported);
  if (is_unreadable) environment = std::optional<model::Environment>();
  if (!environment) return environment.error();
  answer_json(call, view::run_document(experiment, attempts, *environment));
  return {};
}

Result<void> list_artifacts(const Backend& backend, Call& call) {
  TRY_ASSIGN(const model::Experiment experiment, find_experiment(backend, call));
  TRY_ASSIGN(const auto attempts, backend.catalog.attempts(experiment.key, 0));
  TRY_ASSIGN(auto versions, backend.catalog.versions(experiment.key, std::nullopt));
  ordered_json artifacts = ordered_json::array();
  for (const auto& [tag, summary] : view::summarise(attempts, std::move(versions)))
    artifacts.push_back(view::artifact_json(tag, summary));
  answer_json(call, {{"experiment", experiment.key}, {"artifacts", std::move(artifacts)}});
  return {};
}

Result<void> list_versions(const Backend& backend, Call& call) {
  TRY_ASSIGN(const model::Experiment experiment, find_experiment(backend, call));
  const std::string& tag = call.name("tag");
  TRY_ASSIGN(auto versions, backend.catalog.versions(experiment.key, tag));
  if (versions.empty())
    return Error{Code::not_found,
                 concat("experiment '", experiment.key, "' has no version of an artifact '", tag, "'")};
  std::reverse(versions.begin(), versions.end());
  ordered_json list = ordered_json::array();
  for (const model::Version& version : versions) list.push_back(view::version_json(version));
  answer_json(call, {{"experiment", experiment.key}, {"tag", tag}, {"versions", std::move(list)}});
  return {};
}

// The run looks for requests in the catalog, wherever it runs.
Result<void> stop_experiment(const Backend& backend, Call& call) {
  const auto how = call.target.parameter("how").value_or("stop");
  if (how != "stop" && how != "kill") return Error{Code::invalid, "the parameter 'how' is neither 'stop' nor 'kill'"};
  const auto request = how == "kill" ? model::StopRequest::kill : model::StopRequest::stop;
  TRY(find_experiment(backend, call));
  TRY_ASSIGN(const model::Experiment experiment,
             catalog::redo_update(backend.catalog, call.name("key"), [&](model::Experiment& current) -> Result<void> {
               if (!model::is_live(current.state()))
                 return Error{Code::conflict, concat("experiment '", current.key, "' does not run: it is ",
                                                     model::name_of(current.state()))};
               current.stop_request = request;
               return {};
             }));
  answer_json(call, view::run_json(experiment), 202);
  return {};
}

}  // namespace

void add_experiment_routes(Router& router, const Backend& backend) {
  const auto add = [&](const char* method, const char* pattern, Access access, auto function) {
    router.add({method, pattern, access, [&backend, function](Call& call) { return function(backend, call); }});
  };
  add("GET", "/api/v1/experiments", Access::read, list_experiments);
  add("GET", "/api/v1/experiments/{key}", Access::read, show_experiment);
  add("POST", "/api/v1/experiments/{key}/stop", Access::write, stop_experiment);
  add("GET", "/api/v1/experiments/{key}/artifacts", Access::read, list_artifacts);
  add("GET", "/api/v1/experiments/{key}/artifacts/{tag}/versions", Access::read, list_versions);
}

}  // namespace studio::server
