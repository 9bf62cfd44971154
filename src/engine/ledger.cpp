#include "engine/ledger.hpp"

#include <nlohmann/json.hpp>

#include "base/concat.hpp"

namespace studio::engine {

namespace {

// Reads the token anew: an attempt that has begun meanwhile fences ours off.
Result<void> check_token(const Services& services, const model::Version& version) {
  TRY_ASSIGN(const model::Experiment experiment, services.catalog.load(version.experiment));
  if (experiment.token() == version.attempt) return {};
  return Error{Code::conflict, concat("attempt ", version.attempt, " of '", version.experiment,
                                      "' was superseded by attempt ", experiment.token(), "; its capture is dropped")};
}

Result<std::uint64_t> next_number(const Services& services, const model::Version& version) {
  TRY_ASSIGN(const auto latest, services.catalog.latest(version.experiment, version.tag));
  return latest ? latest->number + 1 : 0;
}

Result<void> put_json(const Services& services, const std::string& key, const nlohmann::json& json) {
  TRY(blob::put(services.repository.objects(), key, as_bytes(json.dump(2) + "\n")));
  return {};
}

// The record in the store names the last attempt only. Where an earlier one is, those before it are.
Result<void> mirror_earlier_attempts(const Services& services, const model::Experiment& experiment) {
  const std::uint64_t last = experiment.attempt.number;
  std::uint64_t from = last;
  for (; from > 0; --from) {
    const auto info = services.repository.objects().stat(attempt_key(experiment.key, from - 1));
    if (info) break;
    if (info.error().code != Code::not_found) return info.error();
  }
  if (from == last) return {};
  TRY_ASSIGN(const auto attempts, services.catalog.attempts(experiment.key, from));
  for (const model::Attempt& attempt : attempts) {
    if (attempt.number >= last) continue;
    TRY(put_json(services, attempt_key(experiment.key, attempt.number), model::to_json(attempt, experiment.key)));
  }
  return {};
}

}  // namespace

std::string record_key(std::string_view experiment) {
  return concat(content::k_experiments_prefix, experiment, "/experiment.json");
}

std::string attempt_key(std::string_view experiment, std::uint64_t attempt) {
  return concat(content::k_experiments_prefix, experiment, "/attempts/", attempt, "/attempt.json");
}

void mirror(const Services& services, const model::Experiment& experiment) {
  const auto put = [&]() -> Result<void> {
    TRY(mirror_earlier_attempts(services, experiment));
    return put_json(services, record_key(experiment.key), model::to_json(experiment));
  }();
  if (!put)
    services.report(Severity::warning,
                    concat("the record of '", experiment.key, "' in the store is out of date: ", put.error().message));
}

Result<model::Experiment> change_experiment(const Services& services, std::string_view key,
                                            const catalog::Change& change) {
  TRY_ASSIGN(model::Experiment experiment, catalog::redo_update(services.catalog, key, change));
  mirror(services, experiment);
  return experiment;
}

Result<void> commit_version(const Services& services, model::Version& version) {
  TRY(check_token(services, version));
  TRY_ASSIGN(version.number, next_number(services, version));
  auto published = services.repository.publish(version);
  if (!published && published.error().code == Code::already_exists) {
    TRY(adopt_published_versions(services, version.experiment));
    TRY_ASSIGN(version.number, next_number(services, version));
    published = services.repository.publish(version);
  }
  TRY(std::move(published));
  auto committed = services.catalog.commit(version, version.attempt);
  if (!committed && committed.error().code == Code::conflict)
    TRY(services.repository.objects().remove(content::manifest_key(version.experiment, version.tag, version.number)));
  return committed;
}

Result<void> adopt_published_versions(const Services& services, std::string_view experiment) {
  TRY_ASSIGN(const model::Experiment record, services.catalog.load(experiment));
  TRY_ASSIGN(const auto versions,
             services.repository.published(experiment, [&](const std::string& key, const Error& error) {
               services.report(Severity::warning, concat(key, " is left out: ", error.message));
             }));
  for (const model::Version& version : versions) {
    const auto committed = services.catalog.commit(version, record.token());
    if (!committed && committed.error().code != Code::already_exists) return committed.error();
  }
  return {};
}

}  // namespace studio::engine
