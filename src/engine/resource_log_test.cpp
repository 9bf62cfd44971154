#include "engine/resource_log.hpp"

#include <gtest/gtest.h>

namespace studio::engine {
namespace {

TEST(ResourceLog, ASampleIsOfTheTimeSinceTheOneBefore) {
  ResourceLog log;
  log.add({.seconds = 2, .cpu_seconds = 1, .memory_bytes = 10});
  log.add({.seconds = 4, .cpu_seconds = 5, .memory_bytes = 30, .gpu = GpuUse{40, 7}});
  log.add({.seconds = 4, .cpu_seconds = 9, .memory_bytes = 30});  // no time has passed
  log.add({.seconds = 6, .cpu_seconds = 2, .memory_bytes = 5});   // much has ended
  log.add({.seconds = 7, .cpu_seconds = 3, .memory_bytes = 5});
  const model::ResourceSamples expected{
      {.seconds = 2, .cpu_percent = 50, .memory_bytes = 10},
      {.seconds = 4, .cpu_percent = 200, .memory_bytes = 30, .gpu_percent = 40, .gpu_memory_bytes = 7},
      {.seconds = 6, .cpu_percent = 0, .memory_bytes = 5},
      {.seconds = 7, .cpu_percent = 100, .memory_bytes = 5}};
  EXPECT_EQ(log.samples(), expected);
}

TEST(ResourceLog, NeighboursBecomeOne) {
  ResourceLog log(2);
  log.add({.seconds = 1, .cpu_seconds = 1, .memory_bytes = 10});
  log.add({.seconds = 4, .cpu_seconds = 1, .memory_bytes = 20, .gpu = GpuUse{40, 7}});
  EXPECT_TRUE(log.is_whole());
  log.add({.seconds = 5, .cpu_seconds = 2, .memory_bytes = 5});
  EXPECT_FALSE(log.is_whole()) << "the last sample is to be of two readings now";
  log.add({.seconds = 6, .cpu_seconds = 2, .memory_bytes = 4, .gpu = GpuUse{10, 1}});
  const model::ResourceSamples expected{
      {.seconds = 4, .cpu_percent = 25, .memory_bytes = 20, .gpu_percent = 40, .gpu_memory_bytes = 7},
      {.seconds = 6, .cpu_percent = 50, .memory_bytes = 5, .gpu_percent = 10, .gpu_memory_bytes = 1}};
  EXPECT_EQ(log.samples(), expected);
  EXPECT_TRUE(log.is_whole());
}

TEST(ResourceLog, ADayIsBoundedAndKeepsWhatCounts) {
  ResourceLog log(100);
  const int readings = 24 * 3600 / 5;
  for (int i = 1; i <= readings; ++i)
    log.add({.seconds = i * 5.0, .cpu_seconds = i * 10.0, .memory_bytes = i == 777 ? 1000u : 1u});
  EXPECT_LE(log.samples().size(), 100u);
  EXPECT_GE(log.samples().size(), 50u);
  EXPECT_EQ(log.samples().back().seconds, readings * 5.0);
  std::uint64_t most = 0;
  for (const auto& sample : log.samples()) {
    EXPECT_NEAR(sample.cpu_percent, 200, 1e-6);
    most = std::max(most, sample.memory_bytes);
  }
  EXPECT_EQ(most, 1000u);
}

}  // namespace
}  // namespace studio::engine
