#include "analysis/scalar_series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace studio::analysis {

namespace {

ScalarBucket bucket_of(std::span<const ScalarPoint> points) {
  const ScalarPoint& last = points.back();
  ScalarBucket bucket{.step = last.step,
                      .wall_time = last.wall_time,
                      .least = std::numeric_limits<double>::infinity(),
                      .greatest = -std::numeric_limits<double>::infinity(),
                      .last = last.value};
  for (const ScalarPoint& point : points) {
    if (std::isnan(point.value)) continue;
    bucket.least = std::min(bucket.least, point.value);
    bucket.greatest = std::max(bucket.greatest, point.value);
  }
  if (bucket.least > bucket.greatest) bucket.least = bucket.greatest = std::numeric_limits<double>::quiet_NaN();
  return bucket;
}

}  // namespace

double position(const ScalarPoint& point, Axis axis) {
  return axis == Axis::step ? static_cast<double>(point.step) : point.wall_time;
}

std::vector<ScalarBucket> downsample(std::span<const ScalarPoint> points, Axis axis, double from, double to,
                                     std::size_t most) {
  const auto at = [axis](const ScalarPoint& point) { return position(point, axis); };
  const auto first = std::ranges::lower_bound(points, from, {}, at);
  const auto end = std::ranges::upper_bound(first, points.end(), to, {}, at);
  const std::span<const ScalarPoint> shown(first, end);
  std::vector<ScalarBucket> buckets;
  if (shown.size() <= most) {
    for (const ScalarPoint& point : shown) buckets.push_back(bucket_of({&point, 1}));
    return buckets;
  }
  const double begin = at(shown.front());
  const double width = (at(shown.back()) - begin) / static_cast<double>(most);
  const auto number = [&](const ScalarPoint& point) {
    const double part = width > 0 ? (at(point) - begin) / width : 0;
    return std::min(static_cast<std::size_t>(part), most - 1);  // the last position is in the last bucket
  };
  for (std::size_t i = 0; i < shown.size();) {
    std::size_t next = i + 1;
    while (next < shown.size() && number(shown[next]) == number(shown[i])) ++next;
    buckets.push_back(bucket_of(shown.subspan(i, next - i)));
    i = next;
  }
  return buckets;
}

}  // namespace studio::analysis
