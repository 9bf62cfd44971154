#include "server/record_routes.hpp"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/number.hpp"
#include "catalog/errors.hpp"
#include "catalog/record.hpp"
#include "server/answer.hpp"
#include "server/guard.hpp"
#include "server/json_lines.hpp"

namespace studio::server {

namespace {

constexpr std::uint64_t k_most_record = 16 << 20;
constexpr std::uint64_t k_anything = std::numeric_limits<std::int64_t>::max();

// Of a record that came in: what is wrong with it is the sender's fault.
template <class Record>
Result<Record> sent(Result<Record> record) {
  if (!record && record.error().code == Code::corrupt) record.error().code = Code::invalid;
  return record;
}

Result<model::Experiment> sent_experiment(Call& call) {
  TRY_ASSIGN(const std::string text, call.exchange.body(k_most_record));
  return sent(catalog::experiment_from_record(text));
}

Result<catalog::Deleted> deleted_parameter(const Call& call) {
  const std::string text = call.target.parameter("deleted").value_or("hidden");
  if (text == "hidden") return catalog::Deleted::hidden;
  if (text == "only") return catalog::Deleted::only;
  if (text == "any") return catalog::Deleted::any;
  return Error{Code::invalid, "the parameter 'deleted' is neither 'hidden', 'only' nor 'any'"};
}

// Whose they are cannot be told, so they are for those who see all.
Result<void> add_unreadable(JsonLines& lines, const Identity& identity,
                            const std::vector<catalog::Unreadable>& unreadable) {
  if (!identity.is_admin()) return {};
  for (const catalog::Unreadable& each : unreadable) TRY(lines.add(catalog::to_line(each)));
  return {};
}

Result<void> list_records(const Backend& backend, Call& call) {
  catalog::Filter filter{.project = call.target.parameter("project"), .key_prefix = call.target.parameter("prefix")};
  TRY_ASSIGN(filter.states, states_parameter(call));
  TRY_ASSIGN(filter.deleted, deleted_parameter(call));
  TRY_ASSIGN(const std::uint64_t limit, number_parameter(call, "limit", k_anything, k_anything));
  // Those that may not be seen take no place of the others.
  const bool sees_all = call.identity.is_admin();
  TRY_ASSIGN(const auto found, backend.catalog.list(filter, sees_all ? limit : k_anything));
  JsonLines lines(call.exchange);
  std::uint64_t count = 0;
  for (const model::Experiment& experiment : found.experiments) {
    if (!may(call.identity, Right::see, experiment)) continue;
    if (count++ == limit) break;
    TRY_ASSIGN(const std::string record, catalog::to_record(experiment));
    TRY(lines.add(record));
  }
  TRY(add_unreadable(lines, call.identity, found.unreadable));
  return lines.finish();
}

Result<void> list_changes(const Backend& backend, Call& call) {
  TRY_ASSIGN(const std::uint64_t after, number_parameter(call, "after", 0, k_anything));
  TRY_ASSIGN(const std::uint64_t limit, number_parameter(call, "limit", 1000, k_anything));
  const auto is_visible = [&](const catalog::Changed& change) {
    return may(call.identity, Right::see, change.experiment);
  };
  catalog::Changes changes{.experiments = {}, .unreadable = {}, .sequence = after};
  // An answer without any says that there is nothing more.
  do {
    TRY_ASSIGN(changes, backend.catalog.changes(changes.sequence, limit));
  } while (changes.size() > 0 && !(call.identity.is_admin() || std::ranges::any_of(changes.experiments, is_visible)));
  JsonLines lines(call.exchange);
  // First where to go on: what may not be seen is passed over by it.
  TRY(lines.add(std::to_string(changes.sequence)));
  for (const catalog::Changed& change : changes.experiments) {
    if (!is_visible(change)) continue;
    TRY_ASSIGN(const std::string record, catalog::to_record(change.experiment));
    TRY(lines.add(concat(change.sequence, " ", record)));
  }
  TRY(add_unreadable(lines, call.identity, changes.unreadable));
  return lines.finish();
}

Result<void> answer_record(Call& call, std::string record) {
  net::HttpResponse response{.headers = safe_headers(Access::read), .body = std::move(record)};
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Cache-Control", "no-store");
  call.exchange.respond(std::move(response));
  return {};
}

Result<void> get_record(const Backend& backend, Call& call) {
  TRY_ASSIGN(const model::Experiment experiment, backend.catalog.load(call.name("key")));
  TRY_ASSIGN(std::string record, catalog::to_record(experiment));
  return answer_record(call, std::move(record));
}

// Who runs an experiment again loads it next, and would be told that there is none.
Result<void> check_may_see(const Backend& backend, const Call& call, const std::string& key) {
  TRY_ASSIGN(const model::Experiment present, backend.catalog.load(key));
  if (may(call.identity, Right::see, present)) return {};
  return Error{Code::denied, concat("the name '", key, "' is taken by an experiment that you may not see"),
               "choose another: --experiment NAME"};
}

// Nobody runs experiments in another's name.
Result<void> create_record(const Backend& backend, Call& call) {
  TRY_ASSIGN(const model::Experiment experiment, sent_experiment(call));
  if (!call.identity.is_admin() && experiment.owner != call.identity.user)
    return Error{
        Code::denied,
        concat("user '", call.identity.user, "' may not run experiments of '", printable(experiment.owner), "'"),
        concat("set owner: ", call.identity.user)};
  TRY(check_project(call.identity, experiment.project));
  auto created = backend.catalog.create(experiment);
  if (!created && created.error().code == Code::already_exists) TRY(check_may_see(backend, call, experiment.key));
  TRY(created);
  answer_json(call, {{"revision", 1}}, 201);
  return {};
}

// What a run changes in its record is its own; whose it is and where it belongs is not, and an end that someone else
// asked for, or asks for, is the owner's.
Result<void> check_update(const Identity& identity, const model::Experiment& stored, const model::Experiment& next) {
  if (identity.is_admin()) return {};
  // A run by someone else would make it theirs.
  if (next.owner != stored.owner && stored.owner != identity.user) return belongs_to_another(Right::work, stored);
  if (next.owner != stored.owner || next.created != stored.created)
    return Error{Code::denied, concat("the owner of experiment '", stored.key, "' and its time of creation stay")};
  if (next.project != stored.project) TRY(check_project(identity, next.project));
  if (may(identity, Right::change, stored)) return {};
  const bool is_next_attempt = next.token() != stored.token() && next.stop_request == model::StopRequest::none;
  const bool is_as_before = next.project == stored.project && next.deleted == stored.deleted;
  if (is_as_before && (next.stop_request == stored.stop_request || is_next_attempt)) return {};
  return belongs_to_another(Right::change, stored);
}

Result<void> update_record(const Backend& backend, Call& call) {
  TRY_ASSIGN(const model::Experiment next, sent_experiment(call));
  const std::string& key = call.name("key");
  if (next.key != key) return Error{Code::invalid, "the record is of another experiment than the address"};
  // The catalog takes it only if this is still what is stored.
  TRY_ASSIGN(const model::Experiment stored, backend.catalog.load(key));
  if (stored.revision == next.revision) TRY(check_update(call.identity, stored, next));
  TRY_ASSIGN(const std::uint64_t revision, backend.catalog.update(next));
  answer_json(call, {{"revision", revision}});
  return {};
}

Result<void> list_attempt_records(const Backend& backend, Call& call) {
  const std::string& key = call.name("key");
  TRY_ASSIGN(const std::uint64_t from, number_parameter(call, "from", 0, k_anything));
  TRY_ASSIGN(const auto attempts, backend.catalog.attempts(key, from));
  JsonLines lines(call.exchange);
  for (const model::Attempt& attempt : attempts) {
    TRY_ASSIGN(const std::string record, catalog::to_record(attempt, key));
    TRY(lines.add(record));
  }
  return lines.finish();
}

// Of {key}: all, those of a tag, or one.
Result<std::vector<model::Version>> asked_versions(const Backend& backend, const Call& call) {
  const auto tag = call.target.parameter("tag");
  const auto number = call.target.parameter("number");
  if (!number) return backend.catalog.versions(call.name("key"), tag);
  if (!tag) return Error{Code::invalid, "the parameter 'number' is of a tag: 'tag' is missing"};
  TRY_ASSIGN(const std::uint64_t wanted, number_parameter(call, "number", 0, k_anything));
  TRY_ASSIGN(auto version, backend.catalog.version(call.name("key"), *tag, wanted));
  std::vector<model::Version> versions;
  if (version) versions.push_back(*std::move(version));
  return versions;
}

Result<void> list_version_records(const Backend& backend, Call& call) {
  TRY_ASSIGN(const auto versions, asked_versions(backend, call));
  JsonLines lines(call.exchange);
  for (const model::Version& version : versions) {
    TRY_ASSIGN(const std::string record, catalog::to_record(version));
    TRY(lines.add(record));
  }
  return lines.finish();
}

Result<void> get_latest_version(const Backend& backend, Call& call) {
  const auto tag = call.target.parameter("tag");
  if (!tag) return Error{Code::invalid, "the parameter 'tag' is missing"};
  TRY_ASSIGN(const auto version, backend.catalog.latest(call.name("key"), *tag));
  if (!version) return answer_record(call, "null");
  TRY_ASSIGN(std::string record, catalog::to_record(*version));
  return answer_record(call, std::move(record));
}

Result<void> commit_version(const Backend& backend, Call& call) {
  const auto token = parse_number(call.target.parameter("token").value_or(""));
  if (!token) return Error{Code::invalid, "the parameter 'token' is not a number"};
  TRY_ASSIGN(const std::string text, call.exchange.body(k_most_record));
  TRY_ASSIGN(const model::Version version, sent(catalog::version_from_record(text)));
  if (version.experiment != call.name("key"))
    return Error{Code::invalid, "the version is of another experiment than the address"};
  TRY(backend.catalog.commit(version, *token));
  answer_json(call, nlohmann::ordered_json::object(), 201);
  return {};
}

}  // namespace

void add_record_routes(Router& router, const Backend& backend) {
  const auto add = [&](const char* method, const char* pattern, Access access, auto function) {
    router.add({method, pattern, access, [&backend, function](Call& call) { return function(backend, call); }});
  };
  add("GET", "/api/v1/records", Access::read, list_records);
  add("POST", "/api/v1/records", Access::write, create_record);
  add("GET", "/api/v1/record-changes", Access::read, list_changes);
  add("GET", "/api/v1/records/{key}", Access::read, get_record);
  add("PUT", "/api/v1/records/{key}", Access::work, update_record);
  add("GET", "/api/v1/records/{key}/attempts", Access::read, list_attempt_records);
  add("GET", "/api/v1/records/{key}/versions", Access::read, list_version_records);
  add("GET", "/api/v1/records/{key}/latest-version", Access::read, get_latest_version);
  add("POST", "/api/v1/records/{key}/versions", Access::work, commit_version);
}

}  // namespace studio::server
