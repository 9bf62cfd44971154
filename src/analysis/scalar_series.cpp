#include "analysis/scalar_series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/event_file.hpp"
#include "base/concat.hpp"

namespace studio::analysis {

namespace {

constexpr std::uint64_t k_piece = 1 << 20;

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

Result<EventFileScalars> read_scalars(ByteSource& file) {
  EventFileScalars scalars;
  EventFileReader reader;
  std::size_t count = 0;
  const EventVisitor visitor{.scalar = [&](const PointHead& head, double value) {
    if (++count > k_most_points) return;
    auto found = scalars.series.find(head.tag);
    if (found == scalars.series.end()) {
      if (scalars.series.size() == k_most_tags) {
        scalars.problem = concat("only its first ", k_most_tags, " scalars are shown");
        return;
      }
      found = scalars.series.try_emplace(std::string(head.tag)).first;
    }
    found->second.push_back({head.step, head.wall_time, value});
  }};
  for (std::uint64_t at = 0; at < file.size() && count <= k_most_points; at += k_piece) {
    TRY_ASSIGN(const Bytes piece, file.read(at, std::min(k_piece, file.size() - at)));
    const auto fed = reader.feed(piece, visitor);
    if (fed) continue;
    scalars.problem = fed.error().message;
    break;
  }
  if (count > k_most_points) scalars.problem = concat("only its first ", k_most_points, " values are shown");
  return scalars;
}

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
