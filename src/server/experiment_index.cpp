#include "server/experiment_index.hpp"

#include <algorithm>
#include <future>
#include <utility>

namespace studio::server {

namespace {

constexpr std::size_t k_batch = 5000;   // experiments read at a time
constexpr std::size_t k_recent = 1000;  // changes that are kept

}  // namespace

Result<void> ExperimentIndex::refresh() {
  // One reads for all who ask at once.
  const std::lock_guard lock(refreshing_);
  const auto changes_after = [this](std::uint64_t sequence) { return catalog_.changes(sequence, k_batch); };
  auto changes = changes_after(sequence_);
  while (changes && changes->size() == k_batch) {
    // The next are read while these are taken in.
    auto next = std::async(changes_after, changes->sequence);
    take(*std::move(changes));
    changes = next.get();
  }
  if (!changes) return changes.error();
  if (changes->size() > 0) take(*std::move(changes));
  return {};
}

void ExperimentIndex::take(catalog::Changes changes) {
  std::vector<ExperimentChange> taken;
  for (auto& [experiment, sequence] : changes.experiments) {
    take_uses(experiment);
    std::vector<model::Artifact>().swap(experiment.attempt.artifacts);
    taken.push_back({sequence, std::make_shared<const model::Experiment>(std::move(experiment))});
  }
  const std::lock_guard lock(mutex_);
  for (ExperimentChange& change : taken) {
    unreadable_.erase(change.experiment->key);
    rows_.put(change.experiment);
    recent_.push_back(std::move(change));
  }
  for (catalog::Unreadable& each : changes.unreadable) {
    rows_.hide(each.key);
    unreadable_.insert_or_assign(std::move(each.key), std::move(each.error));
  }
  rows_.settle();
  sequence_ = changes.sequence;
  while (recent_.size() > k_recent) {
    forgotten_ = recent_.front().sequence;
    recent_.pop_front();
  }
}

// What an attempt is given is known when its record is made, so each attempt is looked at once.
void ExperimentIndex::take_uses(const model::Experiment& experiment) {
  const std::uint64_t number = experiment.last().number;
  const ExperimentPointer known = find(experiment.key);
  const std::uint64_t next = known ? known->last().number + 1 : 0;
  if (number > next) unseen_attempts_.try_emplace(experiment.key, next);
  reuses_.add(experiment.key, experiment.last());
}

Result<Reuses> ExperimentIndex::reuses(std::string_view key, std::size_t limit) {
  const std::lock_guard lock(refreshing_);
  while (!unseen_attempts_.empty()) {
    const auto first = unseen_attempts_.begin();
    TRY_ASSIGN(const auto attempts, catalog_.attempts(first->first, first->second));
    for (const model::Attempt& attempt : attempts) reuses_.add(first->first, attempt);
    unseen_attempts_.erase(first);
  }
  return reuses_.of(key, limit);
}

std::vector<catalog::Unreadable> ExperimentIndex::unreadable() const {
  const std::shared_lock lock(mutex_);
  std::vector<catalog::Unreadable> all;
  for (const auto& [key, error] : unreadable_) all.push_back({key, error});
  return all;
}

ExperimentPointer ExperimentIndex::find(std::string_view key) const {
  const std::shared_lock lock(mutex_);
  const auto* const row = rows_.find(key);
  return row == nullptr ? nullptr : row->experiment;
}

ExperimentPage ExperimentIndex::query(const ExperimentQuery& query, WallTime now) const {
  const std::shared_lock lock(mutex_);
  ExperimentPage page = find_page(rows_, query, now);
  page.sequence = sequence_;
  return page;
}

std::set<std::string> ExperimentIndex::projects(const Visible& visible) const {
  const std::shared_lock lock(mutex_);
  std::set<std::string> names;
  for (const ExperimentRows::Row& row : rows_.rows())
    if (row.experiment && !names.contains(row.experiment->project) && visible(*row.experiment))
      names.insert(row.experiment->project);
  return names;
}

std::uint64_t ExperimentIndex::sequence() const {
  const std::shared_lock lock(mutex_);
  return sequence_;
}

ExperimentChanges ExperimentIndex::changes(std::uint64_t sequence) const {
  const std::shared_lock lock(mutex_);
  ExperimentChanges changes{
      .experiments = {}, .sequence = sequence_, .is_all = sequence >= forgotten_ && sequence <= sequence_};
  if (!changes.is_all) return changes;
  const auto later = std::ranges::upper_bound(recent_, sequence, {}, &ExperimentChange::sequence);
  changes.experiments.assign(later, recent_.end());
  return changes;
}

}  // namespace studio::server
