#include "engine/selection.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"

namespace studio::engine {

namespace {

constexpr std::size_t k_most_named = 10;         // candidates, artifacts or versions in one message
constexpr std::size_t k_most_considered = 1000;  // experiments among which a mistyped key is looked for

template <class Names>
std::string joined(const Names& names) {
  std::string text;
  std::size_t count = 0;
  for (const auto& name : names) {
    text += concat(text.empty() ? "" : ", ", count == k_most_named ? "…" : std::string_view(name));
    if (count++ == k_most_named) break;
  }
  return text;
}

Error no_experiment(catalog::Catalog& catalog, std::string_view key, catalog::Deleted deleted) {
  Error error{Code::not_found, concat("there is no experiment '", printable(key), "'"),
              "'studio runs list' shows them"};
  const auto all = catalog.list({.deleted = deleted}, k_most_considered);
  if (!all) return error;
  std::vector<std::string> keys;
  for (const model::Experiment& experiment : all->experiments) keys.push_back(experiment.key);
  if (const std::string_view nearest = nearest_name(key, keys); !nearest.empty())
    error.hint = concat("did you mean '", nearest, "'? 'studio runs list' shows all");
  return error;
}

// "v0, v1, v4"; of a long row only its ends.
std::string names_of(const std::vector<model::Version>& versions) {
  if (versions.size() > k_most_named && versions.back().number - versions.front().number == versions.size() - 1)
    return concat(model::version_name(versions.front().number), " to ", model::version_name(versions.back().number));
  std::vector<std::string> names;
  for (const model::Version& version : versions) names.push_back(model::version_name(version.number));
  return joined(names);
}

// Why a tag has no version, as far as the record tells.
Error no_version_of(const std::string& key, const std::vector<model::Attempt>& attempts, const std::string& tag,
                    const std::set<std::string>& tags) {
  const std::string name = concat(key, "/", tag);
  for (auto attempt = attempts.rbegin(); attempt != attempts.rend(); ++attempt) {
    for (const model::Artifact& artifact : attempt->artifacts) {
      if (artifact.tag != tag) continue;
      if (!artifact.source) return Error{Code::not_found, concat("'", name, "' has no version yet")};
      const std::string source = concat(artifact.source->experiment, "/", artifact.source->tag, "@",
                                        model::version_name(artifact.source->version));
      return Error{Code::not_found, concat("'", name, "' has no versions of its own: it was reused"),
                   concat("name its source: ", source)};
    }
  }
  return Error{Code::not_found, concat("experiment '", key, "' has no artifact '", tag, "'"),
               tags.empty() ? "it has no artifacts" : concat("it has ", joined(tags))};
}

Error missing_tag(catalog::Catalog& catalog, const model::Experiment& experiment, const std::string& tag) {
  std::set<std::string> tags;
  const auto attempts = catalog.attempts(experiment.key, 0);
  if (!attempts) return attempts.error();
  for (const model::Attempt& attempt : *attempts)
    for (const model::Artifact& artifact : attempt.artifacts) tags.insert(artifact.tag);
  // A tag of an attempt whose record is lost may have versions all the same.
  const auto versions = catalog.versions(experiment.key, std::nullopt);
  if (!versions) return versions.error();
  for (const model::Version& version : *versions) tags.insert(version.tag);
  return no_version_of(experiment.key, *attempts, tag, tags);
}

}  // namespace

Result<ArtifactName> parse_artifact_name(std::string_view text) {
  const Error bad{Code::invalid, concat("'", printable(text), "' names no artifact"),
                  "write it as EXP/TAG, EXP/TAG@v3 or EXP/TAG@latest"};
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return bad;
  ArtifactName name{.experiment = std::string(text.substr(0, slash))};
  const std::string_view rest = text.substr(slash + 1);
  const std::size_t at = rest.find('@');
  name.tag = rest.substr(0, at);
  if (!valid_name(name.experiment) || !valid_name(name.tag)) return bad;
  if (at == rest.npos || rest.substr(at + 1) == "latest") return name;
  name.version = model::parse_version_name(rest.substr(at + 1));
  if (!name.version) return bad;
  return name;
}

Result<model::Experiment> find_experiment(catalog::Catalog& catalog, std::string_view key, catalog::Deleted deleted) {
  // An empty text is the beginning of every key.
  if (key.empty()) return Error{Code::invalid, "the key of an experiment is empty", "'studio runs list' shows them"};
  auto exact = catalog.load(key);
  if (exact || exact.error().code != Code::not_found) return exact;
  TRY_ASSIGN(auto candidates, catalog.list({.key_prefix = std::string(key), .deleted = deleted}, k_most_named + 1));
  std::vector<std::string> keys;
  for (const model::Experiment& candidate : candidates.experiments) keys.push_back(candidate.key);
  for (const catalog::Unreadable& candidate : candidates.unreadable) keys.push_back(candidate.key);
  if (keys.empty()) return no_experiment(catalog, key, deleted);
  if (keys.size() == 1 && candidates.experiments.empty()) return candidates.unreadable.front().error;
  if (keys.size() == 1) return std::move(candidates.experiments.front());
  std::sort(keys.begin(), keys.end());
  return Error{Code::invalid, concat("several experiments begin with '", printable(key), "': ", joined(keys)),
               "give more of the key"};
}

Result<model::Version> find_version(catalog::Catalog& catalog, const ArtifactName& name) {
  TRY_ASSIGN(const model::Experiment experiment, find_experiment(catalog, name.experiment));
  if (!name.version) {
    TRY_ASSIGN(auto latest, catalog.latest(experiment.key, name.tag));
    if (latest) return *std::move(latest);
    return missing_tag(catalog, experiment, name.tag);
  }
  TRY_ASSIGN(auto version, catalog.version(experiment.key, name.tag, *name.version));
  if (version) return *std::move(version);
  TRY_ASSIGN(const auto versions, catalog.versions(experiment.key, name.tag));
  if (versions.empty()) return missing_tag(catalog, experiment, name.tag);
  return Error{Code::not_found,
               concat("'", experiment.key, "/", name.tag, "' has no version ", model::version_name(*name.version)),
               concat("it has ", names_of(versions))};
}

}  // namespace studio::engine
