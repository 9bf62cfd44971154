#include "server/experiment_rows.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/number.hpp"
#include "view/parameters.hpp"

namespace studio::server {

namespace {

constexpr double k_no_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

// An attempt has as many items as the one before, nearly always: what another number of them leaves unused is not worth
// a collection.
template <class Item>
void ExperimentRows::replace(std::vector<Item>& items, Part& part, const std::vector<Item>& next) {
  if (next.size() > part.size) {
    part.begin = static_cast<std::uint32_t>(items.size());
    items.resize(items.size() + next.size());
  }
  part.size = static_cast<std::uint32_t>(next.size());
  std::ranges::copy(next, items.begin() + part.begin);
}

void ExperimentRows::put(ExperimentPointer experiment) {
  const Id id = keys_.add(experiment->key);
  if (id == rows_.size()) rows_.emplace_back();
  Row& row = rows_[id];
  const model::Attempt& attempt = experiment->last();
  row.created = experiment->created;
  row.started = attempt.started;
  row.ended = attempt.ended;
  row.project = texts_.add(experiment->project);
  row.owner = texts_.add(experiment->owner);
  row.state = attempt.state;
  row.is_deleted = experiment->deleted.has_value();
  std::vector<Id> words;
  for (const std::string& word : experiment->command) words.push_back(texts_.add(word));
  words.push_back(texts_.add(experiment->directory));
  replace(words_, row.words, words);
  std::vector<Parameter> parameters;
  for (const auto& [name, value] : view::parameters(experiment->command))
    parameters.push_back({names_.add(name), texts_.add(value), parse_real(value).value_or(k_no_number)});
  replace(parameters_, row.parameters, parameters);
  std::vector<Metric> metrics;
  for (const model::Metric& metric : attempt.metrics)
    metrics.push_back({names_.add(metric.name), metric.value ? metric.value->number : k_no_number});
  replace(metrics_, row.metrics, metrics);
  row.experiment = std::move(experiment);
}

void ExperimentRows::hide(std::string_view key) {
  if (const auto id = keys_.find(key)) rows_[*id].experiment = nullptr;
}

void ExperimentRows::settle() {
  const auto known = static_cast<std::ptrdiff_t>(by_key_.size());
  if (by_key_.size() == rows_.size()) return;
  while (by_key_.size() < rows_.size()) by_key_.push_back(static_cast<Id>(by_key_.size()));
  const auto key_of = [this](Id id) { return keys_[id]; };
  std::ranges::sort(by_key_.begin() + known, by_key_.end(), {}, key_of);
  std::ranges::inplace_merge(by_key_, by_key_.begin() + known, {}, key_of);
  for (std::uint32_t place = 0; place < by_key_.size(); ++place) rows_[by_key_[place]].place = place;
}

const ExperimentRows::Row* ExperimentRows::find(std::string_view key) const {
  const auto id = keys_.find(key);
  return id && rows_[*id].experiment ? &rows_[*id] : nullptr;
}

}  // namespace studio::server
