// Scalars over the steps of a training, and what of them fits on a screen.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace studio::analysis {

struct ScalarPoint {
  std::int64_t step = 0;
  double wall_time = 0;  // seconds since 1970
  double value = 0;      // any, NaN too
  friend bool operator==(const ScalarPoint&, const ScalarPoint&) = default;
};

using ScalarPoints = std::vector<ScalarPoint>;
using ScalarSeries = std::map<std::string, ScalarPoints, std::less<>>;  // by tag

enum class Axis { step, time };
double position(const ScalarPoint& point, Axis axis);

// Some neighbouring points as one: where the last of them lies, and least and greatest of their values that are
// numbers, or NaN if none is.
struct ScalarBucket {
  std::int64_t step = 0;
  double wall_time = 0;
  double least = 0;
  double greatest = 0;
  double last = 0;  // as it is
};

// Those from position `from` to `to`, both included, in at most `most` (not 0) buckets, each of an equal part of the
// range that they cover. The points are ascending on the axis.
std::vector<ScalarBucket> downsample(std::span<const ScalarPoint> points, Axis axis, double from, double to,
                                     std::size_t most);

}  // namespace studio::analysis
