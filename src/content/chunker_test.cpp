// The cuts of the chunker: part of the format, so some are golden.
#include "content/chunker.hpp"

#include <gmock/gmock.h>

#include <set>

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::Le;

std::vector<std::size_t> cuts_of(ByteView data, const ChunkerParameters& parameters = {}) {
  std::vector<std::size_t> lengths;
  while (!data.empty()) {
    lengths.push_back(first_cut(parameters, data));
    data = data.subspan(lengths.back());
  }
  return lengths;
}

std::vector<Digest> chunks_of(ByteView data, const ChunkerParameters& parameters = {}) {
  std::vector<Digest> digests;
  for (const std::size_t length : cuts_of(data, parameters)) {
    digests.push_back(Sha256::of(data.first(length)));
    data = data.subspan(length);
  }
  return digests;
}

std::size_t count_missing(const std::vector<Digest>& wanted, const std::vector<Digest>& from) {
  const std::set<Digest> there(from.begin(), from.end());
  return static_cast<std::size_t>(std::count_if(wanted.begin(), wanted.end(), [&](const Digest& d) { return !there.contains(d); }));
}

TEST(Chunker, FindsTheSameCutsForEver) {
  EXPECT_THAT(cuts_of(random_bytes(400'000)), ElementsAre(0));
  EXPECT_THAT(cuts_of(random_text(400'000)), ElementsAre(0));
  EXPECT_THAT(cuts_of(ByteView(random_bytes(600)), k_small), ElementsAre(0));
}

TEST(Chunker, KeepsAllChunksButTheLastWithinBounds) {
  for (const ChunkerParameters& parameters : {ChunkerParameters(), k_small}) {
    auto cuts = cuts_of(random_bytes(2'000'000, 7), parameters);
    EXPECT_LE(cuts.back(), parameters.maximum);
    cuts.pop_back();
    EXPECT_THAT(cuts, Each(AllOf(Ge(parameters.minimum + 1), Le(parameters.maximum))));
  }
}

TEST(Chunker, TakesShortDataWhole) {
  const Bytes data = random_bytes(20'000);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{17}, std::size_t{16384}})
    EXPECT_EQ(first_cut({}, ByteView(data).first(size)), size);
}

TEST(Chunker, DoesNotLookBehindTheMaximum) {
  const Bytes data = random_bytes(1'000'000, 3);
  for (std::size_t at = 0; at + 300'000 < data.size(); at += 50'000) {
    const ByteView rest = ByteView(data).subspan(at);
    EXPECT_EQ(first_cut({}, rest), first_cut({}, rest.first(ChunkerParameters().maximum)));
  }
}

TEST(Chunker, CutsByTheSixteenBytesBeforeACutAlone) {
  // Whatever precedes them: the same window cuts again.
  const Bytes data = random_bytes(200'000, 5);
  const std::size_t cut = first_cut({}, data);
  ASSERT_LT(cut, std::size_t{ChunkerParameters().maximum});
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Bytes other = random_bytes(cut - 16, seed + 100);
    other.insert(other.end(), data.begin() + static_cast<std::ptrdiff_t>(cut - 16), data.end());
    EXPECT_LE(first_cut({}, other), cut);
  }
}

TEST(Chunker, CutsConstantDataAtTheMaximumOrJustAfterTheMinimum) {
  for (int value = 0; value < 256; ++value) {
    const Bytes data(600'000, static_cast<std::byte>(value));
    const std::size_t first = first_cut({}, data);
    EXPECT_TRUE(first == ChunkerParameters().maximum || first == ChunkerParameters().minimum + 1) << value;
    const auto digests = chunks_of(data);
    EXPECT_LE(std::set<Digest>(digests.begin(), digests.end()).size(), 2u);
  }
}

TEST(Chunker, FindsItsCutsAgainAfterAnInsertionOrADeletion) {
  const Bytes data = random_bytes(4'000'000, 11);
  const auto before = chunks_of(data);
  for (const std::size_t at : {std::size_t{0}, std::size_t{1'000'000}, std::size_t{3'999'999}}) {
    Bytes longer = data;
    longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(at), std::byte{'x'});
    EXPECT_LE(count_missing(chunks_of(longer), before), 4u) << at;
    Bytes shorter = data;
    shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_LE(count_missing(chunks_of(shorter), before), 4u) << at;
  }
}

TEST(Chunker, MakesChunksOfTheExpectedSize) {
  for (const Bytes& data : {random_bytes(8'000'000, 13), random_text(8'000'000, 13)}) {
    const auto cuts = cuts_of(data);
    const std::size_t mean = data.size() / cuts.size();
    EXPECT_GT(mean, 44'000u);
    EXPECT_LT(mean, 62'000u);
    const auto at_most = std::count(cuts.begin(), cuts.end(), ChunkerParameters().maximum);
    EXPECT_LT(at_most, static_cast<std::ptrdiff_t>(cuts.size() / 20));
  }
}

TEST(Chunker, RefusesParametersThatMakeNoSense) {
  EXPECT_TRUE(check({}).has_value());
  EXPECT_TRUE(check(k_small).has_value());
  EXPECT_FALSE(check({.minimum = 15}).has_value());
  EXPECT_FALSE(check({.minimum = 50'000}).has_value()) << "above normal";
  EXPECT_FALSE(check({.maximum = 40'000}).has_value()) << "below normal";
  EXPECT_FALSE(check({.strict_mask = 0}).has_value());
  EXPECT_FALSE(check({.loose_mask = 0}).has_value());
  EXPECT_TRUE(check({.maximum = k_most_chunk}).has_value());
  EXPECT_FALSE(check({.maximum = k_most_chunk + 1}).has_value());
}

}  // namespace
}  // namespace studio::content
