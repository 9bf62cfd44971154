#include "catalog/remote.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/lines.hpp"
#include "base/name.hpp"
#include "base/number.hpp"
#include "catalog/errors.hpp"
#include "catalog/record.hpp"
#include "net/url.hpp"

namespace studio::catalog {

namespace {

constexpr std::string_view k_records = "/api/v1/records";
constexpr std::uint64_t k_greatest = INT64_MAX;

Error not_understood() {
  return {Code::internal, "the server's answer cannot be understood", "the server may be another version of Studio"};
}

std::string target_of(std::string_view key) { return concat(k_records, "/", net::percent_encoded(key)); }

std::string parameter(std::string_view name, std::string_view value) {
  return concat("&", name, "=", net::percent_encoded(value));
}

std::uint64_t in_range(std::uint64_t number) { return std::min(number, k_greatest); }

template <class Record>
Result<std::vector<Record>> records_in(std::string_view text, Result<Record> (*from_record)(std::string_view)) {
  std::vector<Record> records;
  while (!text.empty()) {
    TRY_ASSIGN(Record record, from_record(next_line(text)));
    records.push_back(std::move(record));
  }
  return records;
}

Result<std::uint64_t> revision_in(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const auto revision = json.is_object() ? json.find("revision") : json.end();
  if (revision == json.end() || !revision->is_number_unsigned()) return not_understood();
  return revision->get<std::uint64_t>();
}

}  // namespace

Result<void> RemoteCatalog::create(const model::Experiment& experiment) {
  model::Experiment stored = experiment;
  stored.revision = 1;
  TRY_ASSIGN(const std::string record, to_record(stored));
  const ByteView body = as_bytes(record);
  const net::ApiAnswer answer =
      api_->call({.method = "POST", .target = std::string(k_records), .headers = {}, .body = std::span(&body, 1)});
  if (answer.body) return {};
  // An earlier try may have created it.
  if (answer.was_repeated && answer.body.error().code == Code::already_exists)
    if (const auto present = load(experiment.key); present && *present == stored) return {};
  return answer.body.error();
}

Result<model::Experiment> RemoteCatalog::load(std::string_view key) {
  if (!valid_name(key)) return no_experiment(key);
  TRY_ASSIGN(const Bytes record, api_->call({.method = "GET", .target = target_of(key)}).body);
  return experiment_from_record(as_text(record));
}

Result<std::uint64_t> RemoteCatalog::update(const model::Experiment& experiment) {
  TRY_ASSIGN(const std::string record, to_record(experiment));
  const ByteView body = as_bytes(record);
  const net::ApiAnswer answer =
      api_->call({.method = "PUT", .target = target_of(experiment.key), .headers = {}, .body = std::span(&body, 1)});
  if (answer.body) return revision_in(as_text(*answer.body));
  // An earlier try may have changed it.
  if (answer.was_repeated && answer.body.error().code == Code::conflict) {
    model::Experiment wanted = experiment;
    ++wanted.revision;
    if (const auto present = load(experiment.key); present && *present == wanted) return wanted.revision;
  }
  return answer.body.error();
}

Result<std::vector<model::Attempt>> RemoteCatalog::attempts(std::string_view key, std::uint64_t from) {
  if (!valid_name(key)) return std::vector<model::Attempt>();
  const auto answer =
      api_->call({.method = "GET", .target = concat(target_of(key), "/attempts?from=", in_range(from))}).body;
  if (!answer && answer.error().code == Code::not_found) return std::vector<model::Attempt>();
  if (!answer) return answer.error();
  return records_in(as_text(*answer), attempt_from_record);
}

Result<Listed> RemoteCatalog::list(const Filter& filter, std::size_t limit) {
  std::string target = concat(k_records, "?limit=", in_range(limit));
  if (filter.project) target += parameter("project", *filter.project);
  if (filter.key_prefix) target += parameter("prefix", *filter.key_prefix);
  if (filter.deleted != Deleted::hidden)
    target += parameter("deleted", filter.deleted == Deleted::only ? "only" : "any");
  for (const model::State state : filter.states) target += parameter("status", name_of(state));
  TRY_ASSIGN(const Bytes text, api_->call({.method = "GET", .target = std::move(target)}).body);
  Listed found;
  for (std::string_view lines = as_text(text); !lines.empty();) {
    const std::string_view line = next_line(lines);
    if (auto unreadable = unreadable_from_line(line)) {
      found.unreadable.push_back(*std::move(unreadable));
      continue;
    }
    TRY_ASSIGN(model::Experiment experiment, experiment_from_record(line));
    found.experiments.push_back(std::move(experiment));
  }
  return found;
}

Result<Changes> RemoteCatalog::changes(std::uint64_t sequence, std::size_t limit) {
  TRY_ASSIGN(
      const Bytes text,
      api_->call({.method = "GET",
                  .target = concat("/api/v1/record-changes?after=", in_range(sequence), "&limit=", in_range(limit))})
          .body);
  std::string_view lines = as_text(text);
  const auto last = parse_number(next_line(lines));
  if (!last) return not_understood();
  Changes changes{.experiments = {}, .unreadable = {}, .sequence = *last};
  while (!lines.empty()) {
    const std::string_view line = next_line(lines);
    if (auto unreadable = unreadable_from_line(line)) {
      changes.unreadable.push_back(*std::move(unreadable));
      continue;
    }
    const std::size_t space = std::min(line.find(' '), line.size());
    const auto at = parse_number(line.substr(0, space));
    if (!at || space == line.size()) return not_understood();
    TRY_ASSIGN(model::Experiment experiment, experiment_from_record(line.substr(space + 1)));
    changes.experiments.push_back({std::move(experiment), *at});
  }
  return changes;
}

Result<void> RemoteCatalog::commit(const model::Version& version, std::uint64_t token) {
  TRY_ASSIGN(const std::string record, to_record(version));
  const ByteView body = as_bytes(record);
  const net::ApiAnswer answer = api_->call({.method = "POST",
                                            .target = concat(target_of(version.experiment), "/versions?token=", token),
                                            .headers = {},
                                            .body = std::span(&body, 1)});
  if (answer.body) return {};
  // An earlier try may have committed it.
  if (answer.was_repeated && answer.body.error().code == Code::already_exists) {
    TRY_ASSIGN(const auto present, this->version(version.experiment, version.tag, version.number));
    if (present == version) return {};
  }
  return answer.body.error();
}

Result<std::vector<model::Version>> RemoteCatalog::versions(std::string_view key, std::optional<std::string> tag) {
  return select_versions(key, tag ? parameter("tag", *tag) : "");
}

Result<std::vector<model::Version>> RemoteCatalog::select_versions(std::string_view key, const std::string& query) {
  if (!valid_name(key)) return std::vector<model::Version>();
  const auto answer = api_->call({.method = "GET", .target = concat(target_of(key), "/versions?", query)}).body;
  if (!answer && answer.error().code == Code::not_found) return std::vector<model::Version>();
  if (!answer) return answer.error();
  return records_in(as_text(*answer), version_from_record);
}

Result<std::optional<model::Version>> RemoteCatalog::version(std::string_view key, std::string_view tag,
                                                             std::uint64_t number) {
  TRY_ASSIGN(const auto found, select_versions(key, concat(parameter("tag", tag), "&number=", in_range(number))));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

Result<std::optional<model::Version>> RemoteCatalog::latest(std::string_view key, std::string_view tag) {
  if (!valid_name(key)) return std::optional<model::Version>();
  const auto answer =
      api_->call({.method = "GET", .target = concat(target_of(key), "/latest-version?", parameter("tag", tag))}).body;
  if (!answer && answer.error().code == Code::not_found) return std::optional<model::Version>();
  if (!answer) return answer.error();
  if (as_text(*answer) == "null") return std::optional<model::Version>();
  TRY_ASSIGN(model::Version version, version_from_record(as_text(*answer)));
  return std::optional(std::move(version));
}

}  // namespace studio::catalog
