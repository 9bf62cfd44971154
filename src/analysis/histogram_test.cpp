#include "analysis/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "analysis/encoded_image.hpp"

namespace studio::analysis {
namespace {

using Buckets = std::vector<HistogramBucket>;
constexpr double k_max = std::numeric_limits<double>::max();

TEST(HistogramTest, SpreadsABucketOverTheParts) {
  EXPECT_EQ(spread(Buckets{{0, 2, 4}, {2, 4, 8}}, {0, 4}, 4), (std::vector<double>{2, 2, 4, 4}));
  EXPECT_EQ(spread(Buckets{{0.5, 1.5, 2}}, {0, 4}, 4), (std::vector<double>{1, 1, 0, 0}));
  EXPECT_EQ(spread(Buckets{{4, 4, 3}, {1, 1, 1}}, {0, 4}, 4), (std::vector<double>{0, 1, 0, 3}));
  EXPECT_EQ(spread(Buckets{{7, 7, 3}}, {7, 7}, 2), (std::vector<double>{3, 0}));
}

TEST(HistogramTest, WhatMakesNoSenseIsLeftOut) {
  const Buckets buckets{{NAN, 1, 1}, {0, INFINITY, 1}, {3, 2, 1}, {0, 1, -1}, {0, 1, NAN}, {-9, 9, 0}, {1, 2, 5}};
  Range range;
  ASSERT_TRUE(range_of(buckets, range));
  EXPECT_EQ(range.least, 1);
  EXPECT_EQ(range.greatest, 2);
  EXPECT_EQ(spread(buckets, range, 1), std::vector<double>{5});
  EXPECT_EQ(quantiles(buckets).front(), 1);
  EXPECT_EQ(quantiles(buckets).back(), 2);
  EXPECT_FALSE(range_of(Buckets{}, range));
  EXPECT_EQ(quantiles(Buckets{}), std::vector<double>(k_quantiles.size(), 0));
}

TEST(HistogramTest, KeepsTheNumberOfValuesWhateverTheLimits) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 500; ++round) {
    const double scale = round % 3 == 0 ? k_max : std::pow(10, static_cast<double>(random() % 40) - 20);
    std::vector<double> limits(2 + random() % 50);
    for (double& limit : limits) limit = scale * (static_cast<double>(random() % 2001) / 1000 - 1);
    std::ranges::sort(limits);
    Buckets buckets;
    double total = 0;
    for (std::size_t i = 0; i + 1 < limits.size(); ++i) {
      buckets.push_back({limits[i], limits[i + 1], static_cast<double>(random() % 10)});
      total += buckets.back().count;
    }
    Range range;
    if (!range_of(buckets, range)) continue;
    const auto parts = spread(buckets, range, 1 + random() % 80);
    EXPECT_NEAR(std::accumulate(parts.begin(), parts.end(), 0.0), total, 1e-9 * total);
    const auto below = quantiles(buckets);
    EXPECT_TRUE(std::ranges::is_sorted(below));
    EXPECT_EQ(below.front(), range.least);
    EXPECT_EQ(below.back(), range.greatest);
  }
}

TEST(HistogramTest, QuantilesOfAnEvenDistribution) {
  const auto values = quantiles(Buckets{{0, 0.25, 25}, {0.25, 1, 75}});
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], k_quantiles[i], 1e-12);
}

TEST(EncodedImageTest, TellsByContent) {
  const auto recognise = [](std::string_view text) { return recognise_image(as_bytes(text)); };
  using namespace std::string_view_literals;
  const auto png = recognise("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\1\0\0\0\0\0\2\x8\6\0\0\0"sv);
  ASSERT_TRUE(png);
  EXPECT_EQ(png->media_type, "image/png");
  EXPECT_EQ(png->width, 65536u);
  EXPECT_EQ(png->height, 2u);
  const auto gif = recognise("GIF89a\x03\x01\x04\0\0"sv);
  ASSERT_TRUE(gif);
  EXPECT_EQ(gif->media_type, "image/gif");
  EXPECT_EQ(gif->width, 259u);
  EXPECT_EQ(gif->height, 4u);
  const auto jpeg = recognise("\xff\xd8\xff\xe0\0\4ab\xff\xff\xc2\0\x0b\x8\0\5\1\0\3"sv);
  ASSERT_TRUE(jpeg);
  EXPECT_EQ(jpeg->media_type, "image/jpeg");
  EXPECT_EQ(jpeg->width, 256u);
  EXPECT_EQ(jpeg->height, 5u);
  for (const auto other : {""sv, "<svg xmlns='http://www.w3.org/2000/svg'/>"sv, "<html>"sv, "\x89PNG\r\n\x1a\n"sv,
                           "GIF89a"sv, "\xff\xd8\xff"sv, "\xff\xd8\xff\xe0\xff\xff"sv, "RIFF....WEBP"sv})
    EXPECT_FALSE(recognise(other));
}

}  // namespace
}  // namespace studio::analysis
