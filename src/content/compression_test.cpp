#include "content/compression.hpp"

#include <cmath>

#include "base/codec.hpp"
#include "content/byte_copy.hpp"
#include "content/byte_planes.hpp"
#include "content/content_testing.hpp"

namespace studio::content {
namespace {

struct Encoded {
  Codec codec;
  Bytes stored;
};

Encoded encode(ByteView raw, bool may_split = true) {
  Encoded encoded{Codec::raw, {}};
  encoded.codec = append_encoded(raw, may_split, encoded.stored);
  return encoded;
}

// Bytes of `count` normally distributed numbers, of which the upper `width` bytes are kept.
Bytes weights(std::size_t count, std::size_t width = 4) {
  Random random(3);
  const auto uniform = [&] { return (static_cast<double>(random.below(1u << 30)) + 0.5) / (1u << 30); };
  Bytes bytes(count * width);
  for (std::size_t i = 0; i < count; ++i) {
    const auto number =
        static_cast<float>(0.02 * std::sqrt(-2 * std::log(uniform())) * std::cos(6.2831853 * uniform()));
    std::memcpy(bytes.data() + i * width, reinterpret_cast<const std::byte*>(&number) + 4 - width, width);
  }
  return bytes;
}

TEST(Compression, IsRefusedWhenItIsNotWhatItSays) {
  const Bytes raw = to_bytes(std::string(5000, 'x'));
  Bytes stored;
  ASSERT_EQ(append_encoded(raw, true, stored), Codec::zstd);
  EXPECT_EQ(must(decode(Codec::zstd, stored, raw.size())), raw);
  for (const std::size_t length : {std::size_t{0}, raw.size() - 1, raw.size() + 1})
    EXPECT_EQ(code_of(decode(Codec::zstd, stored, length)), Code::corrupt);
  for (std::size_t size = 0; size < stored.size(); ++size)
    EXPECT_EQ(code_of(decode(Codec::zstd, ByteView(stored).first(size), raw.size())), Code::corrupt);
  EXPECT_EQ(code_of(decode(Codec::raw, stored, raw.size())), Code::corrupt);
  EXPECT_EQ(code_of(decode(static_cast<Codec>(7), stored, raw.size())), Code::unsupported);
}

TEST(Compression, KeepsWhatDoesNotShrink) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{5000}}) {
    const Bytes raw = random_bytes(size);
    Bytes stored = to_bytes("before");
    EXPECT_EQ(append_encoded(raw, true, stored), Codec::raw);
    EXPECT_EQ(must(decode(Codec::raw, ByteView(stored).subspan(6), size)), raw);
  }
}

TEST(BytePlanes, ApartAndTogether) {
  for (std::size_t size = 0; size < 300; ++size) {
    const Bytes bytes = random_bytes(size, size + 1);
    std::array<Bytes, k_planes> apart;
    for (std::size_t plane = 0; plane < k_planes; ++plane) apart[plane].resize(size_of_plane(plane, size));
    split_planes(bytes, {apart[0].data(), apart[1].data(), apart[2].data(), apart[3].data()});
    for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(apart[i % k_planes].at(i / k_planes), bytes[i]);
    EXPECT_EQ(apart[0].size() + apart[1].size() + apart[2].size() + apart[3].size(), size);
    Bytes together(size);
    join_planes({apart[0], apart[1], apart[2], apart[3]}, together);
    ASSERT_EQ(together, bytes);
  }
}

TEST(Compression, FloatsAreStoredInPlanes) {
  const Bytes floats = weights(12'800);
  // Wherever a chunk begins within a number, and ends.
  for (const std::size_t begin : {0u, 1u, 2u, 3u})
    for (const std::size_t end : {0u, 1u, 2u, 3u}) {
      const ByteView raw = ByteView(floats).subspan(begin, floats.size() - begin - end);
      const Encoded encoded = encode(raw);
      ASSERT_EQ(encoded.codec, Codec::planes);
      EXPECT_LT(encoded.stored.size(), raw.size() * 86 / 100);
      EXPECT_EQ(must(decode(Codec::planes, encoded.stored, raw.size())), copy_of(raw));
    }
  const Bytes halves = weights(25'600, 2);
  const Encoded encoded = encode(halves);
  ASSERT_EQ(encoded.codec, Codec::planes);
  EXPECT_LT(encoded.stored.size(), halves.size() * 75 / 100);
  EXPECT_EQ(must(decode(Codec::planes, encoded.stored, halves.size())), halves);
  EXPECT_EQ(encode(floats, false).codec, Codec::raw);
  EXPECT_EQ(encode(ByteView(floats).first(4000)).codec, Codec::raw) << "too little";
}

TEST(Compression, WhatIsNoFloatIsNot) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += concat("step ", i, " of the training, loss ", i * 7 % 1000, "\n");
  EXPECT_EQ(encode(as_bytes(text)).codec, Codec::zstd);
  EXPECT_EQ(encode(random_bytes(50'000)).codec, Codec::raw);
  // Small integers, for which zstd finds copies.
  Random random(1);
  ByteWriter tokens;
  for (int i = 0; i < 10'000; ++i) tokens.u32(static_cast<std::uint32_t>(random.below(50'000)));
  EXPECT_EQ(encode(tokens.view()).codec, Codec::zstd);
}

// Made by hand after doc/format.md.
TEST(Compression, HasThePlanesOfTheFormat) {
  ByteWriter stored;
  for (const std::uint32_t length : {3u, 3u, 2u, 2u}) stored.u32(length);
  stored.raw("aeibfjcgdh");
  EXPECT_EQ(to_text(must(decode(Codec::planes, stored.view(), 10))), "abcdefghij");
  // Plane 1 as a frame of one raw block.
  ByteWriter mixed;
  for (const std::uint32_t length : {3u, 12u | (1u << 31), 2u, 2u}) mixed.u32(length);
  mixed.raw("aeicgdh");
  for (const unsigned byte : {0x28u, 0xb5u, 0x2fu, 0xfdu, 0x20u, 0x03u, 0x19u, 0x00u, 0x00u})
    mixed.u8(static_cast<std::uint8_t>(byte));
  mixed.raw("bfj");
  EXPECT_EQ(to_text(must(decode(Codec::planes, mixed.view(), 10))), "abcdefghij");
}

TEST(Compression, PlanesThatAreNoneAreRefused) {
  const Bytes raw = weights(1500);
  const Encoded encoded = encode(raw);
  ASSERT_EQ(encoded.codec, Codec::planes);
  for (std::size_t size = 0; size < encoded.stored.size(); ++size)
    ASSERT_EQ(code_of(decode(Codec::planes, ByteView(encoded.stored).first(size), raw.size())), Code::corrupt);
  Bytes longer = encoded.stored;
  longer.push_back(std::byte{0});
  EXPECT_EQ(code_of(decode(Codec::planes, longer, raw.size())), Code::corrupt);
  for (const std::size_t length : {std::size_t{0}, raw.size() - 1, raw.size() + 1})
    EXPECT_EQ(code_of(decode(Codec::planes, encoded.stored, length)), Code::corrupt);
  // Whatever the lengths say: refused, or what it is cannot be told from a chunk, for which there is the digest.
  for (std::size_t at = 0; at < 16; ++at)
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes flipped = encoded.stored;
      flipped[at] ^= std::byte{1} << bit;
      const auto decoded = decode(Codec::planes, flipped, raw.size());
      EXPECT_TRUE(!decoded || *decoded != raw);
    }
}

}  // namespace
}  // namespace studio::content
