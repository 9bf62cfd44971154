#include "content/pack.hpp"

#include "base/codec.hpp"
#include "content/content_testing.hpp"

namespace studio::content {
namespace {

struct Built {
  Digest name;
  Bytes bytes;
};

Built build(const PackBuilder& builder) {
  const auto finished = builder.finish();
  Bytes bytes(builder.body().begin(), builder.body().end());
  bytes.insert(bytes.end(), finished.footer.begin(), finished.footer.end());
  return {finished.name, bytes};
}

Built small_pack() {
  PackBuilder builder;
  builder.add(Sha256::of(as_bytes("hello")), ChunkKind::data, as_bytes("hello"));
  builder.add(Sha256::of(as_bytes("world!")), ChunkKind::metadata, as_bytes("world!"));
  return build(builder);
}

// Made by another program after doc/format.md.
TEST(Pack, HasTheBytesOfTheFormat) {
  const Built pack = small_pack();
  EXPECT_EQ(
      hex(pack.bytes),
      "535455445041434b010000000000000068656c6c6f776f726c64212cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e730433"
      "62938b982410000000050000000500000000000000711e9609339e92b03ddc0a211827dba421f38f9ed8b9d806e1ffdd8c15ffa03d15"
      "0000000600000006000000000100001b00000000000000020000000000000015dc93e2c271a7199a56dc905a9614135f32622b1cc749"
      "6cc15afee57425d0f54b43415044555453");
  EXPECT_EQ(pack_key(pack.name), "packs/15/15dc93e2c271a7199a56dc905a9614135f32622b1cc7496cc15afee57425d0f5");
  EXPECT_EQ(must(pack_of_key(pack_key(pack.name))), pack.name);
}

TEST(Pack, KeysThatAreNone) {
  const std::string key = pack_key(small_pack().name);
  for (const std::string& bad : {std::string("packs/x"), key + "0", key.substr(0, key.size() - 1),
                                 "packs/16" + key.substr(8), "packs/" + key.substr(9), std::string()})
    EXPECT_FALSE(pack_of_key(bad)) << bad;
}

TEST(Pack, RoundTrip) {
  PackBuilder builder;
  PackBuilder other;
  std::vector<Bytes> chunks;
  for (std::size_t i = 0; i < 40; ++i) {
    // Every third one can be compressed.
    chunks.push_back(i % 3 == 0 ? to_bytes(std::string(i * 100, static_cast<char>('a' + i)))
                                : random_bytes(i * 50, i + 1));
    (i < 20 ? builder : other).add(Sha256::of(chunks.back()), ChunkKind::data, chunks.back());
  }
  builder.append(other);
  const Built pack = build(builder);
  const auto entries = must(parse_pack(pack.name, pack.bytes));
  ASSERT_EQ(entries.size(), chunks.size());
  bool compressed = false;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ByteView stored = ByteView(pack.bytes).subspan(entries[i].offset, entries[i].stored_length);
    EXPECT_EQ(must(decode(entries[i].codec, stored, entries[i].raw_length)), chunks[i]);
    EXPECT_EQ(entries[i].digest, Sha256::of(chunks[i]));
    ASSERT_NE(builder.find(entries[i].digest), nullptr);
    compressed = compressed || entries[i].codec == Codec::zstd;
  }
  EXPECT_TRUE(compressed);
  EXPECT_EQ(builder.find(Digest()), nullptr);
  builder.clear();
  EXPECT_TRUE(builder.empty());
  EXPECT_EQ(builder.size(), k_pack_header_size);
}

TEST(Pack, FooterAloneIsEnough) {
  const Built pack = small_pack();
  const ByteView tail = ByteView(pack.bytes).last(k_pack_trailer_size);
  const std::uint64_t size = must(pack_tail_size(pack.name, tail, pack.bytes.size()));
  EXPECT_EQ(size, 2 * 48 + k_pack_trailer_size);
  EXPECT_EQ(must(parse_pack_tail(pack.name, ByteView(pack.bytes).last(size), pack.bytes.size())).size(), 2u);
  EXPECT_EQ(code_of(parse_pack_tail(pack.name, tail, pack.bytes.size())), Code::corrupt);
  EXPECT_EQ(code_of(pack_tail_size(pack.name, {}, 0)), Code::corrupt);
}

TEST(Pack, AChunkThatCannotBeReadDoesNotMatch) {
  const Built pack = small_pack();
  auto entries = must(parse_pack(pack.name, pack.bytes));
  EXPECT_EQ(check_chunks(pack.bytes, entries), std::vector<bool>(entries.size(), true));
  // Its bytes are those of the digest, but no reader would find them.
  ASSERT_EQ(entries[0].codec, Codec::raw);
  entries[0].codec = Codec::zstd;
  entries[1].codec = static_cast<Codec>(77);
  EXPECT_EQ(check_chunks(pack.bytes, entries), std::vector<bool>(entries.size(), false));
}

TEST(Pack, EveryTruncationIsRefused) {
  const Built pack = small_pack();
  for (std::size_t size = 0; size < pack.bytes.size(); ++size)
    EXPECT_FALSE(parse_pack(pack.name, ByteView(pack.bytes).first(size))) << size;
  Bytes longer = pack.bytes;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(parse_pack(pack.name, longer));
  EXPECT_FALSE(parse_pack(Digest(), pack.bytes));
}

TEST(Pack, EveryFlippedBitIsFound) {
  const Built pack = small_pack();
  for (std::size_t at = 0; at < pack.bytes.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bytes = pack.bytes;
      bytes[at] ^= static_cast<std::byte>(1 << bit);
      const auto entries = parse_pack(pack.name, bytes);
      if (!entries) continue;
      // Only a chunk may still be taken for one, and its digest then tells.
      ASSERT_TRUE(at >= k_pack_header_size && at < k_pack_header_size + 11) << at;
      bool found = false;
      for (const PackEntry& entry : *entries)
        found = found || Sha256::of(ByteView(bytes).subspan(entry.offset, entry.stored_length)) != entry.digest;
      EXPECT_TRUE(found);
    }
}

TEST(Pack, AChunkLargerThanAnyIsRefused) {
  const auto footer_of = [&](std::uint32_t stored_length) {
    ByteWriter footer;
    footer.digest(Sha256::of(as_bytes("a")));
    footer.u32(k_pack_header_size);
    footer.u32(stored_length);
    footer.u32(1);
    footer.u32(0);
    const Digest name = Sha256::of(footer.view());
    footer.u64(k_pack_header_size + std::uint64_t{stored_length});
    footer.u32(1);
    footer.u32(0);
    footer.digest(name);
    footer.raw("KCAPDUTS");
    return std::pair(name, footer.take());
  };
  for (const std::uint32_t length : {1u, k_most_stored, k_most_stored + 1}) {
    const auto [name, footer] = footer_of(length);
    const auto entries = parse_pack_tail(name, footer, k_pack_header_size + std::uint64_t{length} + footer.size());
    EXPECT_EQ(entries.has_value(), length <= k_most_stored) << length;
  }
}

TEST(Pack, NewerVersionIsUnsupported) {
  Built pack = small_pack();
  pack.bytes[8] = std::byte{2};
  EXPECT_EQ(code_of(parse_pack(pack.name, pack.bytes)), Code::unsupported);
}

}  // namespace
}  // namespace studio::content
