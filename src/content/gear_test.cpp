#include "content/gear.hpp"

#include <gtest/gtest.h>

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

// Bytes with `values` different values: few of them make runs, many make noise.
Bytes random_bytes_of(Random& random, std::size_t size, std::size_t values) {
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(values) * (256 / values));
  return bytes;
}

using FindCut = std::size_t (*)(ByteView, std::size_t, std::size_t, std::uint16_t);

void expect_the_same_cuts(FindCut find_cut_by_vector) {
  Random random(1);
  std::size_t found = 0;
  for (int round = 0; round < 400; ++round) {
    const std::size_t values = std::size_t{1} << random.below(9);
    const Bytes data = random_bytes_of(random, 200 + random.below(20'000), values);
    // Masks of few bits, so that there are cuts in every part of a vector; low ones and high ones.
    const std::size_t few = random.below(14);
    const auto mask = static_cast<std::uint16_t>(round % 2 == 0 ? 0xffffu << few : 0xffffu >> few);
    std::size_t from = k_gear_window + random.below(150);
    while (from < data.size()) {
      const std::size_t to = from + random.below(data.size() - from + 1);
      const std::size_t expected = find_cut_portable(data, from, to, mask);
      ASSERT_EQ(find_cut_by_vector(data, from, to, mask), expected) << from << " to " << to << " mask " << mask;
      found += expected != 0 ? 1 : 0;
      from = expected != 0 ? expected : to + 1;
    }
  }
  EXPECT_GT(found, 10'000u);
}

TEST(Gear, Avx2FindsTheSameCuts) {
  if (!has_gear_avx2()) GTEST_SKIP() << "this CPU has no AVX2";
  expect_the_same_cuts(find_cut_avx2);
}

TEST(Gear, Avx512FindsTheSameCuts) {
  if (!has_gear_avx512()) GTEST_SKIP() << "this CPU has no AVX-512 VBMI";
  expect_the_same_cuts(find_cut_avx512);
}

TEST(Gear, ACutDependsOnSixteenBytesOnly) {
  Random random(2);
  Bytes data = random_bytes_of(random, 100'000, 256);
  const std::size_t cut = find_cut(data, 1000, data.size(), 0xfff0);
  ASSERT_NE(cut, 0u);
  ASSERT_GT(cut, 1100u);
  for (std::size_t at = 0; at + k_gear_window < cut; ++at) data[at] = std::byte{0};
  EXPECT_EQ(find_cut_portable(data, cut - 1, data.size(), 0xfff0), cut);
  EXPECT_EQ(find_cut(data, cut - 1, data.size(), 0xfff0), cut);
}

}  // namespace
}  // namespace studio::content
