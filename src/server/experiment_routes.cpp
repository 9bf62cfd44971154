#include "server/experiment_routes.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <sstream>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/number.hpp"
#include "model/json_fields.hpp"
#include "os/fd.hpp"
#include "server/answer.hpp"
#include "server/find.hpp"
#include "view/artifact.hpp"
#include "view/run.hpp"
#include "view/text.hpp"

namespace studio::server {

namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t k_usual_page = 100;
constexpr std::uint64_t k_most_on_page = 1000;
constexpr std::size_t k_most_reuses = 1000;
constexpr std::size_t k_most_problems = 100;
// How long one whose token was revoked may go on listening.
constexpr std::chrono::seconds k_renew_every{2};

// The words between white space.
std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

Visible visible_to(const Identity& identity) {
  if (identity.is_admin()) return nullptr;
  return [identity](const model::Experiment& experiment) { return may(identity, Right::see, experiment); };
}

Result<ExperimentQuery> query_of(const Call& call) {
  ExperimentQuery query;
  query.words = words_of(call.target.parameter("search").value_or(""));
  query.project = call.target.parameter("project");
  query.key_prefix = call.target.parameter("prefix");
  TRY_ASSIGN(query.states, states_parameter(call));
  const std::string deleted = call.target.parameter("deleted").value_or("false");
  if (deleted != "true" && deleted != "false")
    return Error{Code::invalid, "the parameter 'deleted' is neither 'true' nor 'false'"};
  query.deleted = deleted == "true";
  const std::string sort = call.target.parameter("sort").value_or("-created");
  const auto parsed = parse_sort(sort);
  if (!parsed) return Error{Code::invalid, concat("the parameter 'sort' is no column to sort by: '", sort, "'")};
  query.sort = *parsed;
  TRY_ASSIGN(query.offset, number_parameter(call, "offset", 0, INT64_MAX));
  TRY_ASSIGN(query.limit, number_parameter(call, "limit", k_usual_page, k_most_on_page));
  return query;
}

// Whose they are cannot be told, so they are for those who see all.
ordered_json problems_json(const ExperimentIndex& index, const Identity& identity) {
  ordered_json problems = ordered_json::array();
  if (!identity.is_admin()) return problems;
  for (const catalog::Unreadable& each : index.unreadable()) {
    if (problems.size() == k_most_problems) break;
    problems.push_back({{"experiment", to_utf8(each.key)},
                        {"problem", to_utf8(each.error.message)},
                        {"hint", view::text_or_null(each.error.hint)}});
  }
  return problems;
}

Result<void> list_experiments(const Backend& backend, ExperimentIndex& index, Call& call) {
  TRY_ASSIGN(ExperimentQuery query, query_of(call));
  query.visible = visible_to(call.identity);
  TRY(index.refresh());
  const ExperimentPage page = index.query(query, backend.clock.now());
  ordered_json runs = ordered_json::array();
  for (const ExperimentPointer& experiment : page.experiments) runs.push_back(view::run_json(*experiment));
  ordered_json metrics = ordered_json::array();
  for (const std::string& name : page.metrics) metrics.push_back(to_utf8(name));
  ordered_json parameters = ordered_json::array();
  for (const ParameterName& parameter : page.parameters)
    parameters.push_back({{"name", to_utf8(parameter.name)}, {"differs", parameter.differs}});
  answer_json(call, {{"runs", std::move(runs)},
                     {"total", page.total},
                     {"sequence", page.sequence},
                     {"metrics", std::move(metrics)},
                     {"parameters", std::move(parameters)},
                     {"problems", problems_json(index, call.identity)}});
  return {};
}

LiveStreams::Fed feed_changes(const ExperimentIndex& index, const Visible& visible, std::uint64_t& sequence,
                              net::EventStream& viewer) {
  if (viewer.pending() >= LiveStreams::k_enough) return LiveStreams::Fed::nothing;
  const ExperimentChanges changes = index.changes(sequence);
  if (changes.sequence == sequence) return LiveStreams::Fed::nothing;
  if (!changes.is_all) {
    sequence = changes.sequence;
    viewer.send(event_text("reset", sequence, ordered_json::object()));
  }
  // Each with a moment of its own: a viewer whose connection breaks off between two goes on with the second.
  for (const ExperimentChange& change : changes.experiments) {
    if (viewer.pending() >= LiveStreams::k_enough) return LiveStreams::Fed::something;
    sequence = change.sequence;
    if (visible && !visible(*change.experiment)) continue;
    viewer.send(event_text("change", sequence, view::run_json(*change.experiment)));
  }
  // What came last may be a record that cannot be read.
  if (changes.is_all) sequence = changes.sequence;
  return LiveStreams::Fed::something;
}

Result<void> follow_experiments(const Backend& backend, ExperimentIndex& index, LiveStreams& streams, Call& call) {
  TRY(index.refresh());
  TRY_ASSIGN(std::uint64_t sequence, number_parameter(call, "after", index.sequence(), INT64_MAX));
  // A browser that connects again says what it has seen.
  if (const auto seen = parse_number(call.request().header("Last-Event-ID"))) sequence = *seen;
  const auto feed = [&index, &backend, sequence, identity = call.identity, renewed = LiveStreams::Clock::time_point()](
                        net::EventStream& viewer, LiveStreams::Clock::time_point now) mutable {
    if (now - renewed >= k_renew_every) {
      renewed = now;
      if (!renew(identity, backend.clock.now())) return LiveStreams::Fed::all;
    }
    return feed_changes(index, visible_to(identity), sequence, viewer);
  };
  streams.add(begin_events(call), feed);
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

Result<void> list_reuses(const Backend& backend, ExperimentIndex& index, Call& call) {
  TRY_ASSIGN(const model::Experiment experiment, find_experiment(backend, call));
  TRY(index.refresh());
  const Visible visible = visible_to(call.identity);
  TRY_ASSIGN(Reuses found, index.reuses(experiment.key, visible ? SIZE_MAX : k_most_reuses));
  ordered_json reuses = ordered_json::array();
  for (const Reuse& reuse : found.reuses) {
    const ExperimentPointer by = index.find(reuse.experiment);
    if (!by || (visible && !visible(*by))) {
      --found.total;
      continue;
    }
    if (reuses.size() == k_most_reuses) continue;
    reuses.push_back({{"tag", reuse.source_tag},
                      {"version", model::version_name(reuse.version)},
                      {"by",
                       {{"experiment", reuse.experiment},
                        {"attempt", reuse.attempt},
                        {"tag", reuse.tag},
                        {"status", model::name_of(by->state())}}}});
  }
  answer_json(call, {{"experiment", experiment.key}, {"reuses", std::move(reuses)}, {"total", found.total}});
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

// Of an attempt that runs or ran here, as it was read last; otherwise as it was stored.
Result<void> show_resources(const Backend& backend, Call& call) {
  TRY_ASSIGN(const model::Attempt attempt, find_attempt(backend, call));
  const std::string& key = call.name("key");
  std::optional<model::ResourceSamples> samples;
  if (const auto text = os::read_file(local_resources(backend, key, attempt.number)))
    if (const auto json = model::parse_json(as_text(*text)))
      if (auto read = model::resources_from_json(*json)) samples = *std::move(read);
  if (!samples) {
    TRY_ASSIGN(samples, view::load_resources(backend.repository.objects(), key, attempt.number));
  }
  answer_json(call, model::to_json(samples.value_or(model::ResourceSamples())));
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

using Change = std::function<Result<model::Experiment>(const std::string& key)>;

Result<void> change_experiment(const Backend& backend, Call& call, const Change& change) {
  TRY(find_experiment(backend, call));
  TRY_ASSIGN(const model::Experiment experiment, change(call.name("key")));
  answer_json(call, view::run_json(experiment));
  return {};
}

}  // namespace

void add_experiment_routes(Router& router, const Backend& backend, ExperimentIndex& index, LiveStreams& streams) {
  const auto add = [&](const char* method, const char* pattern, Access access, auto function) {
    router.add({method, pattern, access, [&backend, function](Call& call) { return function(backend, call); }});
  };
  router.add(
      {"GET", "/api/v1/experiments", Access::read, [&](Call& call) { return list_experiments(backend, index, call); }});
  router.add({"GET", "/api/v1/experiment-events", Access::read,
              [&](Call& call) { return follow_experiments(backend, index, streams, call); }});
  add("GET", "/api/v1/experiments/{key}", Access::read, show_experiment);
  add("POST", "/api/v1/experiments/{key}/stop", Access::write, stop_experiment);
  add("DELETE", "/api/v1/experiments/{key}", Access::write,
      [](const Backend& server, Call& call) { return change_experiment(server, call, server.delete_experiment); });
  add("POST", "/api/v1/experiments/{key}/restore", Access::write,
      [](const Backend& server, Call& call) { return change_experiment(server, call, server.restore_experiment); });
  router.add({"GET", "/api/v1/experiments/{key}/reuses", Access::read,
              [&](Call& call) { return list_reuses(backend, index, call); }});
  add("GET", "/api/v1/experiments/{key}/attempts/{attempt}/resources", Access::read, show_resources);
  add("GET", "/api/v1/experiments/{key}/artifacts", Access::read, list_artifacts);
  add("GET", "/api/v1/experiments/{key}/artifacts/{tag}/versions", Access::read, list_versions);
}

}  // namespace studio::server
