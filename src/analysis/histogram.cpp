#include "analysis/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace studio::analysis {

namespace {

// Their width must be a number too.
bool is_good(const HistogramBucket& bucket) {
  return bucket.left <= bucket.right && std::isfinite(bucket.left) && std::isfinite(bucket.right) && bucket.count > 0 &&
         std::isfinite(bucket.count);
}

}  // namespace

bool range_of(std::span<const HistogramBucket> buckets, Range& range) {
  bool is_empty = true;
  for (const HistogramBucket& bucket : buckets) {
    if (!is_good(bucket)) continue;
    range.least = is_empty ? bucket.left : std::min(range.least, bucket.left);
    range.greatest = is_empty ? bucket.right : std::max(range.greatest, bucket.right);
    is_empty = false;
  }
  return !is_empty;
}

std::vector<double> spread(std::span<const HistogramBucket> buckets, const Range& range, std::size_t count) {
  std::vector<double> parts(count);
  const auto last = static_cast<double>(count - 1);
  // Halves, as the whole may be beyond the greatest number.
  const double half_width = range.greatest / 2 - range.least / 2;
  const auto place_of = [&](double value) {
    return half_width > 0 ? (value / 2 - range.least / 2) / half_width * static_cast<double>(count) : 0;
  };
  for (const HistogramBucket& bucket : buckets) {
    if (!is_good(bucket)) continue;
    const double from = place_of(bucket.left);
    const double to = place_of(bucket.right);
    const auto first = static_cast<std::size_t>(std::clamp(std::floor(from), 0.0, last));
    const auto end = static_cast<std::size_t>(std::clamp(std::floor(to), 0.0, last));
    if (first == end || !(to > from)) {
      parts[first] += bucket.count;
      continue;
    }
    for (std::size_t i = first; i <= end; ++i) {
      const double part = std::min(to, static_cast<double>(i + 1)) - std::max(from, static_cast<double>(i));
      parts[i] += bucket.count * std::max(part, 0.0) / (to - from);
    }
  }
  return parts;
}

std::vector<double> quantiles(std::span<const HistogramBucket> buckets) {
  double total = 0;
  for (const HistogramBucket& bucket : buckets)
    if (is_good(bucket)) total += bucket.count;
  std::vector<double> values;
  double before = 0;
  double reached = 0;
  for (const HistogramBucket& bucket : buckets) {
    if (!is_good(bucket)) continue;
    if (values.empty()) reached = bucket.left;
    while (values.size() < k_quantiles.size() && k_quantiles[values.size()] * total <= before + bucket.count) {
      const double part = (k_quantiles[values.size()] * total - before) / bucket.count;
      values.push_back(bucket.left * (1 - part) + bucket.right * part);
    }
    before += bucket.count;
    reached = bucket.right;
  }
  values.resize(k_quantiles.size(), reached);  // what rounding left over
  return values;
}

}  // namespace studio::analysis
