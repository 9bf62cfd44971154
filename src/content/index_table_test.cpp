// Index objects: what is found where, at every size, and never at a wrong place.
#include "content/index_table.hpp"

#include <gmock/gmock.h>
#include <xxhash.h>

#include "content/content_testing.hpp"

namespace studio::content {

static bool operator==(const Location& a, const Location& b) {
  return a.pack == b.pack && a.offset == b.offset && a.stored_length == b.stored_length && a.raw_length == b.raw_length &&
         a.codec == b.codec && a.suspect == b.suspect;
}

namespace {

using testing::IsEmpty;
using testing::SizeIs;

std::vector<IndexedChunk> some_chunks(std::size_t count) {
  std::vector<IndexedChunk> chunks;
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = static_cast<std::uint32_t>(i);
    chunks.push_back({digest_of(concat("chunk ", i)),
                      {.pack = digest_of(concat("pack ", i / 50)),
                       .offset = 16 + number * 1000,
                       .stored_length = number + 1,
                       .raw_length = i % 3 == 0 ? k_most_chunk : number,
                       .codec = i % 2 == 0 ? Codec::zstd : Codec::raw,
                       .suspect = i % 5 == 0}});
  }
  return chunks;
}

class IndexOfSize : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, IndexOfSize, testing::Values(0, 1, 2, 84, 85, 86, 170, 171, 1000, 10'000));

TEST_P(IndexOfSize, FindsEveryChunkAndNoOther) {
  const auto chunks = some_chunks(GetParam());
  const IndexTable table = unwrap(IndexTable::open(build_index(chunks)));
  EXPECT_EQ(table.size(), GetParam());
  for (const IndexedChunk& chunk : chunks) {
    const auto found = unwrap(table.find(chunk.digest));
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(*found == chunk.location);
  }
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(unwrap(table.find(digest_of(concat("other ", i)))).has_value());
  Digest lowest;
  Digest highest;
  highest.bytes.fill(std::byte{0xff});
  EXPECT_FALSE(unwrap(table.find(lowest)).has_value());
  EXPECT_FALSE(unwrap(table.find(highest)).has_value());
  const auto all = unwrap(table.chunks());
  ASSERT_THAT(all, SizeIs(chunks.size()));
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(all[i - 1].digest, all[i].digest);
  EXPECT_THAT(table.readable_chunks(), SizeIs(chunks.size()));
}

TEST_P(IndexOfSize, HasTheDocumentedLength) {
  const std::size_t pages = (GetParam() + 84) / 85;
  const std::size_t packs = (GetParam() + 49) / 50;
  EXPECT_EQ(build_index(some_chunks(GetParam())).size(), 40 + packs * 32 + 8 + pages * 4096);
}

TEST(IndexTable, FindsDigestsThatAreNotUniform) {
  // All in a narrow range, and two far away: guesses by value are all wrong.
  std::vector<IndexedChunk> chunks;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    IndexedChunk chunk{.digest = {}, .location = {.pack = digest_of("p"), .offset = i}};
    for (std::size_t k = 0; k < 4; ++k) chunk.digest.bytes[20 + k] = static_cast<std::byte>(i >> (24 - 8 * k));
    chunks.push_back(chunk);
  }
  chunks.back().digest.bytes.fill(std::byte{0xff});
  const IndexTable table = unwrap(IndexTable::open(build_index(chunks)));
  for (const IndexedChunk& chunk : chunks) EXPECT_EQ(unwrap(table.find(chunk.digest))->offset, chunk.location.offset);
}

TEST(IndexTable, PrefersTheCopyThatIsNotSuspect) {
  const Digest chunk = digest_of("x");
  const IndexedChunk suspect{chunk, {.pack = digest_of("damaged"), .suspect = true}};
  const IndexedChunk sound{chunk, {.pack = digest_of("sound")}};
  const IndexedChunk other{chunk, {.pack = digest_of("other")}};
  const auto pack_of = [&](std::vector<IndexedChunk> chunks) {
    const IndexTable table = unwrap(IndexTable::open(build_index(std::move(chunks))));
    EXPECT_EQ(table.size(), 1u);
    return unwrap(table.find(chunk))->pack;
  };
  EXPECT_EQ(pack_of({suspect, sound, other}), digest_of("sound"));
  EXPECT_EQ(pack_of({sound, suspect}), digest_of("sound"));
  EXPECT_EQ(pack_of({other, sound}), digest_of("other"));
  EXPECT_EQ(pack_of({suspect}), digest_of("damaged"));
}

TEST(IndexTable, IsTheSameInAnyOrder) {
  auto chunks = some_chunks(300);
  const Bytes bytes = build_index(chunks);
  std::reverse(chunks.begin(), chunks.end());
  EXPECT_EQ(build_index(chunks), bytes);
}

TEST(IndexTable, HasTheDocumentedBytes) {
  const Bytes bytes = build_index({{digest_of("abc"),
                                    {.pack = digest_of("pack"), .offset = 16, .stored_length = 3, .raw_length = 3}}});
  EXPECT_EQ(hex(ByteView(bytes).first(80 + 48)), "");
  EXPECT_EQ(hex(ByteView(bytes).last(16)), "");
}

// Either what was asked for, or `corrupt`: never another place, never "not there".
TEST(IndexTable, NeverMisleadsWhenAByteIsFlipped) {
  const auto chunks = some_chunks(90);
  const Bytes bytes = build_index(chunks);
  std::size_t refused = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (at > 4200 && at < bytes.size() - 300 && at % 7 != 0) continue;
    Bytes flipped = bytes;
    flipped[at] ^= std::byte{0x20};
    const auto table = IndexTable::open(flipped);
    if (!table) {
      EXPECT_TRUE(table.error().code == Code::corrupt) << at;
      ++refused;
      continue;
    }
    for (const IndexedChunk& chunk : chunks) {
      const auto found = table->find(chunk.digest);
      if (!found) {
        EXPECT_EQ(found.error().code, Code::corrupt);
      } else {
        ASSERT_TRUE(found->has_value()) << at;
        EXPECT_TRUE(**found == chunk.location) << at;
      }
    }
    const auto all = table->chunks();
    EXPECT_TRUE(!all || all->size() == chunks.size());
    EXPECT_THAT(table->readable_chunks(), testing::AnyOf(SizeIs(90), SizeIs(5), SizeIs(85)));
  }
  EXPECT_GT(refused, 100u) << "head and list of packs are checked when it is opened";
}

TEST(IndexTable, IsRefusedWhenCutShort) {
  const Bytes bytes = build_index(some_chunks(100));
  for (std::size_t size = 0; size < bytes.size(); size += size < 300 ? 1 : 97)
    EXPECT_EQ(code_of(IndexTable::open(to_bytes(as_text(ByteView(bytes).first(size))))), Code::corrupt) << size;
  EXPECT_EQ(code_of(IndexTable::open({})), Code::corrupt);
}

// A head whose checksum is right, but whose counts cannot be: only a hostile writer makes it.
TEST(IndexTable, RefusesCountsBeyondItsLength) {
  Bytes bytes = build_index(some_chunks(1));
  for (const std::uint64_t count : {std::uint64_t{86}, std::uint64_t{1} << 62, ~std::uint64_t{0}, ~std::uint64_t{0} - 83}) {
    for (std::size_t i = 0; i < 8; ++i) bytes[16 + i] = static_cast<std::byte>(count >> (8 * i));
    const std::uint64_t sum = XXH3_64bits(bytes.data(), 32);
    for (std::size_t i = 0; i < 8; ++i) bytes[32 + i] = static_cast<std::byte>(sum >> (8 * i));
    EXPECT_EQ(code_of(IndexTable::open(bytes)), Code::corrupt);
  }
}

}  // namespace
}  // namespace studio::content
