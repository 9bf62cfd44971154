#include "engine/metric_watch.hpp"

#include <algorithm>
#include <cmath>

#include "base/concat.hpp"

namespace studio::engine {

namespace {

constexpr std::size_t k_most_found = 20;

bool counts(const model::Metric& metric, double value, std::int64_t step) {
  if (!metric.value) return true;
  switch (metric.goal) {
    case model::MetricGoal::min: return value < metric.value->number;
    case model::MetricGoal::max: return value > metric.value->number;
    case model::MetricGoal::last: return step >= metric.value->step;
  }
  return false;
}

}  // namespace

bool MetricWatch::update() {
  bool has_changed = false;
  events_.read_new([&](const analysis::EventDirectory::File& file) {
    return analysis::EventVisitor{.scalar = [&](const analysis::PointHead& head, double value) {
      has_changed = take(file.run, head, value) || has_changed;
    }};
  });
  return has_changed;
}

bool MetricWatch::take(const std::string& run, const analysis::PointHead& head, double value) {
  const std::string full = run.empty() ? std::string(head.tag) : concat(run, "/", head.tag);
  if (found_.size() < k_most_found && std::ranges::find(found_, full) == found_.end()) found_.push_back(full);
  if (!std::isfinite(value)) return false;
  bool has_changed = false;
  for (model::Metric& metric : metrics_) {
    if ((metric.name != head.tag && metric.name != full) || !counts(metric, value, head.step)) continue;
    metric.value = {value, head.step};
    has_changed = true;
  }
  return has_changed;
}

}  // namespace studio::engine
