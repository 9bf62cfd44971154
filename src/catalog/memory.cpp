#include "catalog/memory.hpp"

#include <algorithm>

#include "catalog/errors.hpp"
#include "catalog/record.hpp"

namespace studio::catalog {

namespace {

bool matches(const model::Experiment& experiment, const Filter& filter) {
  if (filter.project && experiment.project != *filter.project) return false;
  if (filter.deleted != Deleted::any && experiment.deleted.has_value() != (filter.deleted == Deleted::only))
    return false;
  if (filter.key_prefix && !experiment.key.starts_with(*filter.key_prefix)) return false;
  return filter.states.empty() || std::ranges::find(filter.states, experiment.state()) != filter.states.end();
}

bool newer(const model::Experiment& a, const model::Experiment& b) {
  return a.created != b.created ? a.created > b.created : a.key < b.key;
}

}  // namespace

Result<MemoryCatalog::Entry*> MemoryCatalog::find(std::string_view key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return no_experiment(key);
  return &found->second;
}

Result<void> MemoryCatalog::create(const model::Experiment& experiment) {
  Entry entry{.experiment = experiment};
  entry.experiment.revision = 1;
  TRY(to_record(entry.experiment));
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = entries_.try_emplace(experiment.key, std::move(entry));
  if (!is_new) return experiment_exists(experiment.key);
  at->second.sequence = ++sequence_;
  return {};
}

Result<model::Experiment> MemoryCatalog::load(std::string_view key) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const Entry* entry, find(key));
  return entry->experiment;
}

Result<std::uint64_t> MemoryCatalog::update(const model::Experiment& experiment) {
  TRY(to_record(experiment));
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Entry* const entry, find(experiment.key));
  const std::uint64_t revision = entry->experiment.revision;
  if (revision != experiment.revision) return experiment_changed(experiment.key, experiment.revision, revision);
  const model::Attempt& stored = entry->experiment.attempt;
  if (stored.number > experiment.attempt.number) return attempt_goes_back(experiment, stored.number);
  if (stored.number < experiment.attempt.number) entry->earlier.push_back(stored);
  entry->experiment = experiment;
  entry->sequence = ++sequence_;
  return ++entry->experiment.revision;
}

Result<std::vector<model::Attempt>> MemoryCatalog::attempts(std::string_view key, std::uint64_t from) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return std::vector<model::Attempt>();
  std::vector<model::Attempt> attempts = entry->second.earlier;
  attempts.push_back(entry->second.experiment.attempt);
  std::erase_if(attempts, [&](const model::Attempt& attempt) { return attempt.number < from; });
  return attempts;
}

Result<Listed> MemoryCatalog::list(const Filter& filter, std::size_t limit) {
  std::vector<model::Experiment> found;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, entry] : entries_)
      if (matches(entry.experiment, filter)) found.push_back(entry.experiment);
  }
  std::ranges::sort(found, newer);
  if (found.size() > limit) found.resize(limit);
  return Listed{.experiments = std::move(found), .unreadable = {}};
}

Result<Changes> MemoryCatalog::changes(std::uint64_t sequence, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  std::map<std::uint64_t, const model::Experiment*> later;
  for (const auto& [key, entry] : entries_)
    if (entry.sequence > sequence) later.emplace(entry.sequence, &entry.experiment);
  Changes changes{.experiments = {}, .unreadable = {}, .sequence = sequence};
  for (const auto& [at, experiment] : later) {
    if (changes.experiments.size() == limit) break;
    changes.experiments.push_back({*experiment, at});
    changes.sequence = at;
  }
  return changes;
}

Result<void> MemoryCatalog::commit(const model::Version& version, std::uint64_t token) {
  TRY(to_record(version));
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Entry* const entry, find(version.experiment));
  if (entry->experiment.token() != token) return superseded(version, token, entry->experiment.token());
  if (!entry->tags[version.tag].try_emplace(version.number, version).second) return version_exists(version);
  return {};
}

Result<std::vector<model::Version>> MemoryCatalog::versions(std::string_view key, std::optional<std::string> tag) {
  const std::lock_guard lock(mutex_);
  std::vector<model::Version> found;
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return found;
  for (const auto& [name, versions] : entry->second.tags)
    for (const auto& [number, version] : versions)
      if (!tag || name == *tag) found.push_back(version);
  return found;
}

const MemoryCatalog::Versions& MemoryCatalog::versions_of(std::string_view key, std::string_view tag) const {
  static const Versions k_none;
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return k_none;
  const auto versions = entry->second.tags.find(tag);
  return versions == entry->second.tags.end() ? k_none : versions->second;
}

Result<std::optional<model::Version>> MemoryCatalog::version(std::string_view key, std::string_view tag,
                                                             std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const Versions& versions = versions_of(key, tag);
  const auto found = versions.find(number);
  return found == versions.end() ? std::nullopt : std::optional(found->second);
}

Result<std::optional<model::Version>> MemoryCatalog::latest(std::string_view key, std::string_view tag) {
  const std::lock_guard lock(mutex_);
  const Versions& versions = versions_of(key, tag);
  return versions.empty() ? std::nullopt : std::optional(versions.rbegin()->second);
}

}  // namespace studio::catalog
