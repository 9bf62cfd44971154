// Histograms of the steps of a training, brought to buckets that they share so that they can be drawn beside each
// other.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "analysis/event_file.hpp"

namespace studio::analysis {

struct Range {
  double least = 0;
  double greatest = 0;
};
// From where to where the buckets reach that hold something; buckets that make no sense (a limit or count that is no
// finite number, limits in the wrong order) are left out, here and below. False: none does.
bool range_of(std::span<const HistogramBucket> buckets, Range& range);

// How many values lie in each of `count` (not 0) equal parts of the range: those of a bucket are spread evenly over it.
std::vector<double> spread(std::span<const HistogramBucket> buckets, const Range& range, std::size_t count);

// The shares of a normal distribution's values that are below -1.5σ, -1σ, -0.5σ, 0, … 1.5σ: TensorBoard's
// distributions.
inline constexpr std::array k_quantiles{0.0, 0.0668, 0.1587, 0.3085, 0.5, 0.6915, 0.8413, 0.9332, 1.0};
// Below which value each share of the values lies; the buckets ascend.
std::vector<double> quantiles(std::span<const HistogramBucket> buckets);

}  // namespace studio::analysis
