#include "server/experiment_index.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "base/letters.hpp"

namespace studio::server {

namespace {

constexpr std::size_t k_batch = 2000;   // experiments read while the catalog is held
constexpr std::size_t k_recent = 1000;  // changes that are kept
constexpr std::size_t k_most_metrics = 20;

struct SortName {
  std::string_view name;
  SortKey key;
};
constexpr std::array k_sort_names{SortName{"created", SortKey::created},  SortName{"key", SortKey::key},
                                  SortName{"project", SortKey::project},  SortName{"owner", SortKey::owner},
                                  SortName{"status", SortKey::status},    SortName{"started", SortKey::started},
                                  SortName{"duration", SortKey::duration}};

std::string searched_text(const model::Experiment& experiment) {
  std::string text = experiment.key;
  // Words are looked for between white space: none goes across fields.
  const auto add = [&](std::string_view field) { (text += '\n') += field; };
  add(experiment.project);
  add(experiment.owner);
  for (const std::string& word : experiment.command) add(word);
  add(experiment.directory);
  return lower(text);
}

bool matches(const model::Experiment& experiment, const std::string& text, const ExperimentQuery& query,
             const std::vector<std::string>& words) {
  if (experiment.deleted.has_value() != query.deleted) return false;
  if (!query.states.empty() && std::ranges::find(query.states, experiment.state()) == query.states.end()) return false;
  if (query.project && experiment.project != *query.project) return false;
  if (query.key_prefix && !experiment.key.starts_with(*query.key_prefix)) return false;
  if (!std::ranges::all_of(words, [&](const std::string& word) { return text.find(word) != text.npos; })) return false;
  return !query.visible || query.visible(experiment);
}

std::int64_t duration(const model::Experiment& experiment, WallTime now) {
  const model::Attempt& attempt = experiment.last();
  return (attempt.ended.value_or(now) - attempt.started).count();
}

const model::Metric::Value* metric_value(const model::Experiment& experiment, const std::string& name) {
  for (const model::Metric& metric : experiment.last().metrics)
    if (metric.name == name) return metric.value ? &*metric.value : nullptr;
  return nullptr;
}

// Whether `a` comes before `b`, which is nothing if the metric does not tell.
std::optional<bool> metric_order(const model::Experiment& a, const model::Experiment& b, const ExperimentQuery& query) {
  const auto* const left = metric_value(a, query.metric);
  const auto* const right = metric_value(b, query.metric);
  if (left == nullptr || right == nullptr) return left == right ? std::nullopt : std::optional(right == nullptr);
  if (left->number == right->number) return std::nullopt;
  return query.is_descending ? left->number > right->number : left->number < right->number;
}

std::vector<std::string> most_frequent(const std::map<std::string, std::size_t>& counts) {
  std::vector<std::pair<std::size_t, std::string>> order;
  for (const auto& [name, count] : counts) order.emplace_back(count, name);
  std::ranges::stable_sort(order, std::greater(), &std::pair<std::size_t, std::string>::first);
  std::vector<std::string> names;
  for (auto& [count, name] : order)
    if (names.size() < k_most_metrics) names.push_back(std::move(name));
  return names;
}

// Less than 0 if `a` comes first. Of a metric metric_order() tells.
int compare(const model::Experiment& a, const model::Experiment& b, SortKey key, WallTime now) {
  const auto order = [](const auto& left, const auto& right) { return left < right ? -1 : right < left ? 1 : 0; };
  switch (key) {
    case SortKey::created: return order(a.created, b.created);
    case SortKey::key: return a.key.compare(b.key);
    case SortKey::project: return a.project.compare(b.project);
    case SortKey::owner: return a.owner.compare(b.owner);
    case SortKey::status: return name_of(a.state()).compare(name_of(b.state()));
    case SortKey::started: return order(a.last().started, b.last().started);
    case SortKey::duration: return order(duration(a, now), duration(b, now));
    case SortKey::metric: break;
  }
  return 0;
}

}  // namespace

std::optional<SortKey> parse_sort_key(std::string_view name) {
  const auto* const found = std::ranges::find(k_sort_names, name, &SortName::name);
  return found == k_sort_names.end() ? std::nullopt : std::optional(found->key);
}

Result<void> ExperimentIndex::refresh() {
  // One reads for all who ask at once.
  const std::lock_guard lock(refreshing_);
  while (true) {
    TRY_ASSIGN(catalog::Changes changes, catalog_.changes(sequence_, k_batch));
    if (changes.experiments.empty()) return {};
    const bool is_all = changes.experiments.size() < k_batch;
    take(std::move(changes));
    if (is_all) return {};
  }
}

void ExperimentIndex::take(catalog::Changes changes) {
  std::vector<std::pair<std::uint64_t, Row>> rows;  // and when they changed
  for (auto& [experiment, sequence] : changes.experiments) {
    take_uses(experiment);
    std::vector<model::Artifact>().swap(experiment.attempt.artifacts);
    std::string text = searched_text(experiment);
    const WallTime created = experiment.created;
    rows.push_back(
        {sequence, {std::make_shared<const model::Experiment>(std::move(experiment)), std::move(text), created}});
  }
  const std::lock_guard lock(mutex_);
  for (auto& [sequence, row] : rows) {
    has_metrics_ = has_metrics_ || !row.experiment->last().metrics.empty();
    recent_.push_back({sequence, row.experiment});
    const auto [at, is_new] = positions_.try_emplace(row.experiment->key, rows_.size());
    if (is_new)
      rows_.push_back(std::move(row));
    else
      rows_[at->second] = std::move(row);
  }
  sequence_ = changes.sequence;
  while (recent_.size() > k_recent) {
    forgotten_ = recent_.front().sequence;
    recent_.pop_front();
  }
}

// What an attempt is given is known when its record is made, so each attempt is looked at once.
void ExperimentIndex::take_uses(const model::Experiment& experiment) {
  const std::uint64_t number = experiment.last().number;
  const auto known = positions_.find(experiment.key);
  const std::uint64_t next = known == positions_.end() ? 0 : rows_[known->second].experiment->last().number + 1;
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

ExperimentPointer ExperimentIndex::find(std::string_view key) const {
  const std::shared_lock lock(mutex_);
  const auto found = positions_.find(key);
  return found == positions_.end() ? nullptr : rows_[found->second].experiment;
}

ExperimentPage ExperimentIndex::query(const ExperimentQuery& query, WallTime now) const {
  std::vector<std::string> words;
  for (const std::string& word : query.words) words.push_back(lower(word));
  const std::shared_lock lock(mutex_);
  std::vector<const Row*> found;
  for (const Row& row : rows_)
    if (matches(*row.experiment, row.text, query, words)) found.push_back(&row);
  const auto before = [&](const Row* a, const Row* b) {
    if (query.sort == SortKey::created && a->created != b->created)
      return query.is_descending == (a->created > b->created);
    if (query.sort == SortKey::metric)
      if (const auto is_first = metric_order(*a->experiment, *b->experiment, query)) return *is_first;
    const int order = compare(*a->experiment, *b->experiment, query.sort, now);
    if (order == 0) return a->experiment->key < b->experiment->key;
    return query.is_descending ? order > 0 : order < 0;
  };
  ExperimentPage page{.experiments = {}, .total = found.size(), .sequence = sequence_, .metrics = {}};
  if (has_metrics_) {
    std::map<std::string, std::size_t> counts;
    for (const Row* row : found)
      for (const model::Metric& metric : row->experiment->last().metrics) ++counts[metric.name];
    page.metrics = most_frequent(counts);
  }
  if (query.offset >= found.size()) return page;
  // Only what is shown is put in order.
  const auto first = found.begin() + static_cast<std::ptrdiff_t>(query.offset);
  const auto last = first + static_cast<std::ptrdiff_t>(std::min(query.limit, found.size() - query.offset));
  if (first != found.begin()) std::nth_element(found.begin(), first, found.end(), before);
  std::partial_sort(first, last, found.end(), before);
  for (auto at = first; at != last; ++at) page.experiments.push_back((*at)->experiment);
  return page;
}

std::set<std::string> ExperimentIndex::projects(const Visible& visible) const {
  const std::shared_lock lock(mutex_);
  std::set<std::string> names;
  for (const Row& row : rows_)
    if (!names.contains(row.experiment->project) && visible(*row.experiment)) names.insert(row.experiment->project);
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
