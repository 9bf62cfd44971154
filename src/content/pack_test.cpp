// Packs and the stored form of chunks, byte for byte.
#include "content/pack.hpp"

#include <gmock/gmock.h>
#include <zstd.h>

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

Bytes stored(ByteView chunk, Codec expected) {
  Bytes out = to_bytes("before");
  EXPECT_EQ(append_encoded(chunk, out), expected);
  EXPECT_EQ(as_text(ByteView(out).first(6)), "before");
  out.erase(out.begin(), out.begin() + 6);
  return out;
}

TEST(Compression, KeepsBytesThatDoNotCompress) {
  for (const std::size_t size : {0, 1, 63, 64, 200, 4096, 60'000}) {
    const Bytes chunk = random_bytes(static_cast<std::size_t>(size));
    EXPECT_EQ(stored(chunk, Codec::raw), chunk);
  }
}

TEST(Compression, CompressesWhatGetsAnEighthSmaller) {
  for (const std::size_t size : {100, 4096, 60'000, 1'000'000}) {
    const Bytes chunk = random_text(static_cast<std::size_t>(size));
    const Bytes small = stored(chunk, Codec::zstd);
    EXPECT_LE(small.size(), chunk.size() - chunk.size() / 8);
    EXPECT_EQ(unwrap(decode(Codec::zstd, small, chunk.size())), chunk);
  }
}

TEST(Compression, DecodesWhateverALaterVersionCompressesBetter) {
  const Bytes chunk = random_text(50'000);
  Bytes best(ZSTD_compressBound(chunk.size()));
  best.resize(ZSTD_compress(best.data(), best.size(), chunk.data(), chunk.size(), 19));
  EXPECT_EQ(unwrap(decode(Codec::zstd, best, chunk.size())), chunk);
}

TEST(Compression, RefusesWhatIsNotWhatItShouldBe) {
  const Bytes chunk = random_text(5000);
  const Bytes small = stored(chunk, Codec::zstd);
  EXPECT_EQ(code_of(decode(Codec::zstd, small, chunk.size() - 1)), Code::corrupt) << "longer than it should be";
  EXPECT_EQ(code_of(decode(Codec::zstd, small, chunk.size() + 1)), Code::corrupt) << "shorter than it should be";
  EXPECT_EQ(code_of(decode(Codec::zstd, {}, 10)), Code::corrupt);
  EXPECT_EQ(code_of(decode(Codec::zstd, random_bytes(100), 10)), Code::corrupt);
  EXPECT_EQ(code_of(decode(Codec::raw, chunk, chunk.size() + 1)), Code::corrupt);
  EXPECT_EQ(code_of(decode(static_cast<Codec>(7), chunk, chunk.size())), Code::unsupported);
  for (std::size_t size = 0; size < small.size(); ++size)
    EXPECT_EQ(code_of(decode(Codec::zstd, ByteView(small).first(size), chunk.size())), Code::corrupt);
}

Bytes whole(const PackBuilder& pack) {
  Bytes bytes(pack.body().begin(), pack.body().end());
  const Bytes footer = pack.finish().footer;
  bytes.insert(bytes.end(), footer.begin(), footer.end());
  return bytes;
}

void add(PackBuilder& pack, std::string_view text, ChunkKind kind = ChunkKind::data) {
  pack.add(digest_of(text), kind, as_bytes(text));
}

// doc/format.md explains these bytes one by one. If they change, stores that exist can no longer be read.
TEST(Pack, HasTheDocumentedBytes) {
  PackBuilder pack;
  add(pack, "abc");
  add(pack, "STUDTREE\1", ChunkKind::metadata);
  EXPECT_EQ(pack.finish().name.hex(), "");
  EXPECT_EQ(hex(whole(pack)), "");
}

TEST(Pack, ListsWhatWasAdded) {
  PackBuilder pack;
  EXPECT_TRUE(pack.empty());
  const std::vector<Bytes> chunks{to_bytes("one"), random_text(9000), {}, random_bytes(70'000)};
  for (const Bytes& chunk : chunks) pack.add(Sha256::of(chunk), ChunkKind::data, chunk);
  const Bytes bytes = whole(pack);
  const auto entries = unwrap(parse_pack(pack.finish().name, bytes));
  ASSERT_THAT(entries, SizeIs(chunks.size()));
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const ByteView raw = ByteView(bytes).subspan(entries[i].offset, entries[i].stored_length);
    EXPECT_EQ(unwrap(decode(entries[i].codec, raw, entries[i].raw_length)), chunks[i]);
    EXPECT_EQ(entries[i].digest, Sha256::of(chunks[i]));
    ASSERT_NE(pack.find(entries[i].digest), nullptr);
    EXPECT_EQ(pack.find(entries[i].digest)->offset, entries[i].offset);
  }
  EXPECT_EQ(pack.find(digest_of("two")), nullptr);
  pack.clear();
  EXPECT_TRUE(pack.empty());
  EXPECT_EQ(pack.find(entries[0].digest), nullptr);
}

TEST(Pack, MayBeEmpty) { EXPECT_THAT(unwrap(parse_pack(PackBuilder().finish().name, whole(PackBuilder()))), IsEmpty()); }

TEST(Pack, TakesInAnother) {
  PackBuilder pack;
  PackBuilder other;
  add(pack, "one");
  add(other, "two", ChunkKind::metadata);
  pack.append(other);
  const auto entries = unwrap(parse_pack(pack.finish().name, whole(pack)));
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(as_text(pack.stored(*pack.find(digest_of("two")))), "two");
  EXPECT_EQ(entries[1].kind, ChunkKind::metadata);
}

TEST(Pack, IsNamedByItsFooter) {
  PackBuilder one;
  PackBuilder two;
  add(one, "a");
  add(two, "b");
  EXPECT_NE(one.finish().name, two.finish().name);
  EXPECT_EQ(code_of(parse_pack(one.finish().name, whole(two))), Code::corrupt);
  const std::string key = pack_key(one.finish().name);
  EXPECT_EQ(key.substr(0, 6), "packs/");
  EXPECT_EQ(unwrap(pack_of_key(key)), one.finish().name);
  for (const std::string& wrong : {std::string("packs/"), key + "0", "packs/zz/" + one.finish().name.hex(), one.finish().name.hex(),
                                   "packs/" + one.finish().name.hex()})
    EXPECT_EQ(code_of(pack_of_key(wrong)), Code::corrupt) << wrong;
}

TEST(Pack, IsRefusedWhenCutShort) {
  PackBuilder pack;
  add(pack, "abc");
  add(pack, std::string(100, 'a'));
  const Bytes bytes = whole(pack);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(code_of(parse_pack(pack.finish().name, ByteView(bytes).first(size))), Code::corrupt) << size;
  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_EQ(code_of(parse_pack(pack.finish().name, longer)), Code::corrupt);
}

TEST(Pack, IsRefusedWhenAByteIsFlippedOutsideItsChunks) {
  PackBuilder pack;
  add(pack, "abc");
  add(pack, std::string(100, 'a'));
  const Bytes bytes = whole(pack);
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (const int bits : {0x01, 0x80, 0xff}) {
      Bytes flipped = bytes;
      flipped[at] ^= static_cast<std::byte>(bits);
      const bool in_a_chunk = at >= k_pack_header_size && at < pack.size();
      EXPECT_EQ(parse_pack(pack.finish().name, flipped).has_value(), in_a_chunk) << at;
    }
}

// Footers that are consistent with their digest, but lie: only a hostile writer makes them.
TEST(Pack, IsRefusedWhenItsEntriesLeaveIt) {
  const auto with_entry = [](std::uint32_t offset, std::uint32_t stored_length, std::uint32_t raw_length) {
    ByteWriter footer;
    footer.digest(digest_of("x"));
    footer.u32(offset);
    footer.u32(stored_length);
    footer.u32(raw_length);
    footer.u32(0);
    const Digest name = Sha256::of(footer.view());
    ByteWriter out;
    out.raw("STUDPACK");
    out.u32(1);
    out.u32(0);
    out.raw("12345");
    out.raw(footer.view());
    out.u64(21);
    out.u32(1);
    out.u32(0);
    out.digest(name);
    out.raw("KCAPDUTS");
    return parse_pack(name, out.view());
  };
  EXPECT_TRUE(with_entry(16, 5, 5).has_value());
  EXPECT_FALSE(with_entry(16, 4, 5).has_value()) << "bytes that no entry claims";
  EXPECT_FALSE(with_entry(16, 6, 5).has_value());
  EXPECT_FALSE(with_entry(17, 4, 5).has_value());
  EXPECT_FALSE(with_entry(0, 21, 5).has_value());
  EXPECT_FALSE(with_entry(16, 0xffffffff, 5).has_value());
  EXPECT_FALSE(with_entry(0xffffffff, 5, 5).has_value());
  EXPECT_TRUE(with_entry(16, 5, k_most_chunk).has_value());
  EXPECT_FALSE(with_entry(16, 5, k_most_chunk + 1).has_value());
}

TEST(Pack, CanBeListedFromItsTailAlone) {
  PackBuilder pack;
  for (int i = 0; i < 50; ++i) add(pack, concat("chunk ", i));
  const Digest name = pack.finish().name;
  const Bytes bytes = whole(pack);
  const std::uint64_t size = unwrap(pack_tail_size(name, ByteView(bytes).last(k_pack_trailer_size), bytes.size()));
  EXPECT_EQ(size, 50 * 48 + 56u);
  EXPECT_THAT(unwrap(parse_pack_tail(name, ByteView(bytes).last(size), bytes.size())), SizeIs(50));
  EXPECT_FALSE(parse_pack_tail(name, ByteView(bytes).last(size - 1), bytes.size()).has_value());
  EXPECT_FALSE(parse_pack_tail(name, ByteView(bytes).last(size), bytes.size() + 1).has_value());
  EXPECT_FALSE(pack_tail_size(name, ByteView(bytes).last(k_pack_trailer_size - 1), bytes.size()).has_value());
  EXPECT_FALSE(pack_tail_size(name, {}, 0).has_value());
}

}  // namespace
}  // namespace studio::content
