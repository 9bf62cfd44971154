#include "content/chunker.hpp"

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

std::vector<std::size_t> cuts_of(const ChunkerParameters& parameters, ByteView data) {
  std::vector<std::size_t> cuts;
  while (!data.empty()) {
    cuts.push_back(first_cut(parameters, data));
    data = data.subspan(cuts.back());
  }
  return cuts;
}

// Made by another program after doc/format.md.
TEST(Chunker, CutsAsTheFormatSays) {
  const Bytes data = random_bytes(1 << 20);
  EXPECT_EQ(cuts_of({}, data),
            (std::vector<std::size_t>{60620, 47685, 55698, 18890, 78641, 32960, 39104, 33513, 54703, 56259, 43656,
                                      38484, 43124, 62487, 32981, 84928, 59139, 50628, 72293, 42178, 24550, 16055}));
  EXPECT_EQ(
      cuts_of(k_tiny, ByteView(data).first(1500)),
      (std::vector<std::size_t>{61, 122, 53, 128, 44, 127, 58, 33, 36, 71, 75, 89, 128, 42, 59, 35, 88, 68, 104, 79}));
  EXPECT_EQ(cuts_of({}, Bytes(500'000, std::byte{0})), (std::vector<std::size_t>{196608, 196608, 106784}));
}

TEST(Chunker, KeepsItsLimits) {
  const Bytes data = random_bytes(100'000, 2);
  const auto cuts = cuts_of(k_tiny, data);
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    EXPECT_GT(cuts[i], k_tiny.minimum);
    EXPECT_LE(cuts[i], k_tiny.maximum);
  }
  for (std::size_t size = 0; size <= k_tiny.minimum; ++size)
    EXPECT_EQ(first_cut(k_tiny, ByteView(data).first(size)), size);
}

TEST(Chunker, LooksNoFurtherThanTheCut) {
  Bytes data = random_bytes(4096, 3);
  const std::size_t cut = first_cut(k_tiny, data);
  for (std::size_t i = cut; i < data.size(); ++i) data[i] = std::byte{0};
  EXPECT_EQ(first_cut(k_tiny, data), cut);
}

TEST(Chunker, FindsTheSameCutsBehindAnInsertion) {
  const Bytes data = random_bytes(1 << 16, 4);
  Bytes moved = random_bytes(777, 5);
  moved.insert(moved.end(), data.begin(), data.end());
  std::vector<std::size_t> ends;
  std::size_t at = 0;
  for (const std::size_t length : cuts_of(k_tiny, data)) ends.push_back(at += length);
  std::size_t same = 0;
  at = 0;
  for (const std::size_t length : cuts_of(k_tiny, moved)) {
    at += length;
    if (at > 777 && std::binary_search(ends.begin(), ends.end(), at - 777)) ++same;
  }
  EXPECT_GT(same, ends.size() * 9 / 10);
}

TEST(Chunker, ChecksItsParameters) {
  EXPECT_TRUE(check(ChunkerParameters()));
  EXPECT_TRUE(check(k_tiny));
  const auto with = [](auto change) {
    ChunkerParameters parameters;
    change(parameters);
    return check(parameters).has_value();
  };
  EXPECT_FALSE(with([](auto& p) { p.minimum = 15; }));
  EXPECT_FALSE(with([](auto& p) { p.normal = p.minimum - 1; }));
  EXPECT_FALSE(with([](auto& p) { p.maximum = p.normal - 1; }));
  EXPECT_FALSE(with([](auto& p) { p.maximum = k_most_chunk + 1; }));
  EXPECT_FALSE(with([](auto& p) { p.strict_mask = 0; }));
  EXPECT_FALSE(with([](auto& p) { p.loose_mask = 0; }));
}

}  // namespace
}  // namespace studio::content
