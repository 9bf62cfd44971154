#include "content/content_testing.hpp"
#include "content/index_table.hpp"

namespace studio::content {
namespace {

std::vector<IndexedChunk> some_chunks(std::size_t count, std::size_t packs = 3) {
  std::vector<IndexedChunk> chunks;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Digest pack = Sha256::of(as_bytes(concat("pack ", i % packs)));
    chunks.push_back(
        {Sha256::of(as_bytes(std::to_string(i))), {pack, i * 100, 90 + i, 0xffffff - i, Codec::zstd, i % 7 == 0}});
  }
  return chunks;
}

void expect_same(const Location& a, const Location& b) {
  EXPECT_EQ(a.pack, b.pack);
  EXPECT_EQ(a.offset, b.offset);
  EXPECT_EQ(a.stored_length, b.stored_length);
  EXPECT_EQ(a.raw_length, b.raw_length);
  EXPECT_EQ(a.codec, b.codec);
  EXPECT_EQ(a.suspect, b.suspect);
}

TEST(Index, FindsWhatItHolds) {
  for (const std::size_t count : {0u, 1u, 84u, 85u, 86u, 170u, 171u, 2000u}) {
    const auto chunks = some_chunks(count);
    const Bytes bytes = build_index(chunks);
    const std::size_t packs = std::min<std::size_t>(count, 3);
    EXPECT_EQ(bytes.size(), 48 + 32 * packs + (count + 84) / 85 * 4096);
    const IndexTable table = must(IndexTable::open(bytes));
    EXPECT_EQ(table.size(), count);
    for (const IndexedChunk& chunk : chunks) {
      const auto found = must(table.find(chunk.digest));
      ASSERT_TRUE(found);
      expect_same(*found, chunk.location);
    }
    for (std::size_t i = 0; i < 200; ++i) EXPECT_FALSE(must(table.find(Sha256::of(as_bytes(concat("no ", i))))));
    EXPECT_FALSE(must(table.find(Digest())));
    Digest last;
    last.bytes.fill(std::byte{0xff});
    EXPECT_FALSE(must(table.find(last)));
    const auto all = must(table.chunks());
    EXPECT_EQ(all.size(), count);
    EXPECT_TRUE(
        std::is_sorted(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.digest < b.digest; }));
    EXPECT_EQ(table.readable_chunks().size(), count);
  }
}

TEST(Index, FindsDigestsThatAreNotUniform) {
  std::vector<IndexedChunk> chunks;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    IndexedChunk chunk;
    chunk.digest.bytes[31] = static_cast<std::byte>(i & 0xff);
    chunk.digest.bytes[30] = static_cast<std::byte>(i >> 8);
    if (i % 2 == 1) chunk.digest.bytes[0] = std::byte{0xff};
    chunk.location.offset = i;
    chunks.push_back(chunk);
  }
  const IndexTable table = must(IndexTable::open(build_index(chunks)));
  for (const IndexedChunk& chunk : chunks)
    EXPECT_EQ(must(table.find(chunk.digest)).value().offset, chunk.location.offset);
}

TEST(Index, OfOneChunkKeepsTheSoundPlace) {
  auto chunks = some_chunks(1);
  auto other = chunks[0];
  chunks[0].location.suspect = true;
  other.location.suspect = false;
  other.location.offset = 42;
  chunks.push_back(other);
  const IndexTable table = must(IndexTable::open(build_index(chunks)));
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(must(table.find(other.digest)).value().offset, 42u);
}

TEST(Index, IsTheSameWhateverTheOrder) {
  auto chunks = some_chunks(300, 1);
  const Bytes bytes = build_index(chunks);
  std::reverse(chunks.begin(), chunks.end());
  EXPECT_EQ(build_index(chunks), bytes);
}

// XXH3 by another program.
TEST(Index, HasTheBytesOfTheFormat) {
  const Bytes bytes = build_index(some_chunks(1));
  EXPECT_EQ(to_text(ByteView(bytes).first(8)), "STUDINDX");
  EXPECT_EQ(hex(ByteView(bytes).subspan(8, 32)), "01000000010000000100000000000000244766e7e245395188cc92a830e78531");
  const std::size_t page = 48 + 32;
  EXPECT_EQ(hex(ByteView(bytes).subspan(page + 32, 16)), "00000000000000005a000000ffffff81");
  EXPECT_EQ(hex(ByteView(bytes).subspan(page + 4080, 16)), "0e500f3aaca630950000000000000000");
}

TEST(Index, EveryTruncationIsRefused) {
  const Bytes bytes = build_index(some_chunks(100));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(code_of(IndexTable::open(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)))),
              Code::corrupt);
  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(IndexTable::open(longer));
}

TEST(Index, EveryFlippedByteIsFoundOrHarmless) {
  const auto chunks = some_chunks(90);
  const Bytes bytes = build_index(chunks);
  std::size_t harmless = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Bytes flipped = bytes;
    flipped[at] ^= std::byte{0x10};
    const auto table = IndexTable::open(flipped);
    if (!table) continue;
    const auto all = table->chunks();
    if (all) {
      ++harmless;
      ASSERT_EQ(all->size(), chunks.size());
      for (const IndexedChunk& chunk : *all) {
        const auto original =
            std::find_if(chunks.begin(), chunks.end(), [&](const auto& c) { return c.digest == chunk.digest; });
        ASSERT_NE(original, chunks.end());
        expect_same(chunk.location, original->location);
      }
    } else {
      EXPECT_EQ(all.error().code, Code::corrupt);
      EXPECT_LT(table->readable_chunks().size(), chunks.size());
      const auto found = table->find(chunks[0].digest);
      if (found) expect_same(found->value(), chunks[0].location);
    }
  }
  EXPECT_EQ(harmless, 2u * 8);  // the reserved bytes of each page
}

TEST(Index, HostileHeadsAreRefused) {
  // Whoever can write a checksum can write any number: nothing may be read beyond the end.
  const Bytes bytes = build_index(some_chunks(2));
  EXPECT_FALSE(IndexTable::open(Bytes()));
  for (const std::size_t field : {12u, 16u, 20u, 23u}) {
    Bytes other = bytes;
    other[field] = std::byte{0xff};
    EXPECT_EQ(code_of(IndexTable::open(other)), Code::corrupt);
  }
}

}  // namespace
}  // namespace studio::content
