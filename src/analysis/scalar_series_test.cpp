#include "analysis/scalar_series.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "analysis/checkpoint_name.hpp"

namespace studio::analysis {
namespace {

constexpr double k_least = -INFINITY;
constexpr double k_greatest = INFINITY;

ScalarPoints points_of(std::initializer_list<double> values) {
  ScalarPoints points;
  for (const double value : values) {
    const auto step = static_cast<std::int64_t>(points.size());
    points.push_back({step, 100.0 + static_cast<double>(step), value});
  }
  return points;
}

TEST(DownsampleTest, FewPointsStayAsTheyAre) {
  const ScalarPoints points = points_of({1, NAN, 3});
  const auto buckets = downsample(points, Axis::step, k_least, k_greatest, 3);
  ASSERT_EQ(buckets.size(), 3u);
  EXPECT_EQ(buckets[2].step, 2);
  EXPECT_EQ(buckets[2].wall_time, 102.0);
  EXPECT_EQ(buckets[2].least, 3.0);
  EXPECT_EQ(buckets[2].greatest, 3.0);
  EXPECT_TRUE(std::isnan(buckets[1].last) && std::isnan(buckets[1].least));
  EXPECT_TRUE(downsample({}, Axis::step, k_least, k_greatest, 3).empty());
  EXPECT_TRUE(downsample(points, Axis::step, 5, 9, 3).empty());
  EXPECT_TRUE(downsample(points, Axis::step, 2, 1, 3).empty());
  EXPECT_EQ(downsample(points, Axis::step, 1, 2, 3).size(), 2u);
  EXPECT_EQ(downsample(points, Axis::time, 100, 101.5, 3).size(), 2u);
}

TEST(DownsampleTest, PointsOnOneSpotAreOneBucket) {
  const ScalarPoints points{{7, 1, 3}, {7, 2, 1}, {7, 3, 2}};
  const auto buckets = downsample(points, Axis::step, k_least, k_greatest, 2);
  ASSERT_EQ(buckets.size(), 1u);
  EXPECT_EQ(buckets[0].least, 1.0);
  EXPECT_EQ(buckets[0].greatest, 3.0);
  EXPECT_EQ(buckets[0].last, 2.0);
}

// Whatever is thrown at it: no spike is lost, nothing is made up, and the order stays.
TEST(DownsampleTest, KeepsExtremesAndOrder) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    ScalarPoints points;
    std::int64_t step = static_cast<std::int64_t>(random() % 1000) - 500;
    const auto count = random() % 400;
    for (std::uint64_t i = 0; i < count; ++i) {
      points.push_back({step, static_cast<double>(step), static_cast<double>(random() % 1000)});
      step += static_cast<std::int64_t>(random() % 4 == 0 ? random() % 100 : random() % 2);
    }
    const std::size_t most = 1 + random() % 50;
    const auto buckets = downsample(points, Axis::step, k_least, k_greatest, most);
    ASSERT_LE(buckets.size(), most);

    if (points.size() <= most) continue;  // as they are
    EXPECT_EQ(buckets.back().step, points.back().step);
    EXPECT_EQ(buckets.back().last, points.back().value);
    std::size_t at = 0;
    for (const ScalarBucket& bucket : buckets) {
      double least = INFINITY;
      double greatest = -INFINITY;
      // A bucket ends where its last point lies, with all points of that step.
      while (at < points.size() && points[at].step <= bucket.step) {
        least = std::min(least, points[at].value);
        greatest = std::max(greatest, points[at].value);
        ++at;
      }
      EXPECT_EQ(bucket.least, least);
      EXPECT_EQ(bucket.greatest, greatest);
    }
    EXPECT_EQ(at, points.size());
  }
}

TEST(CheckpointNameTest, TellsStepsAndEpochs) {
  using Moment = CheckpointMoment;
  const auto nothing = std::nullopt;
  EXPECT_EQ(checkpoint_moment("epoch=3-step=1200.ckpt"), (Moment{1200, 3}));
  EXPECT_EQ(checkpoint_moment("checkpoint-500/model.safetensors"), (Moment{500, nothing}));
  EXPECT_EQ(checkpoint_moment("checkpoint-500/model-00001-of-00005.safetensors"), (Moment{500, nothing}));
  EXPECT_EQ(checkpoint_moment("checkpoint-00001-of-00005.safetensors"), Moment());
  EXPECT_EQ(checkpoint_moment("step_007.npz"), (Moment{7, nothing}));
  EXPECT_EQ(checkpoint_moment("run2/Epoch12.pt"), (Moment{nothing, 12}));
  EXPECT_EQ(checkpoint_moment("weights.05-0.33.hdf5"), (Moment{nothing, 5}));
  EXPECT_EQ(checkpoint_moment("deep3.pt"), Moment()) << "not 'ep'";
  EXPECT_EQ(checkpoint_moment("resnet50.pt"), Moment());
  EXPECT_EQ(checkpoint_moment("step.pt"), Moment());
  EXPECT_EQ(checkpoint_moment(""), Moment());
  EXPECT_EQ(checkpoint_moment("step-99999999999999999999.pt"), Moment()) << "beyond 64 bits";
}

}  // namespace
}  // namespace studio::analysis
