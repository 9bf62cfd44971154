#include "content/deflate.hpp"

#include <zlib.h>

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

// What zlib makes of a stream that is nothing but these bytes.
Bytes inflated(ByteView stream, std::size_t size) {
  Bytes bytes(size + 1);
  z_stream state{};
  must_be_zero(inflateInit2(&state, -15));
  state.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(stream.data()));
  state.avail_in = static_cast<uInt>(stream.size());
  state.next_out = reinterpret_cast<Bytef*>(bytes.data());
  state.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(inflate(&state, Z_FINISH), Z_STREAM_END) << (state.msg == nullptr ? "" : state.msg);
  EXPECT_EQ(state.avail_in, 0u);
  bytes.resize(bytes.size() - state.avail_out);
  inflateEnd(&state);
  return bytes;
}

struct Deflate : testing::Test {
  // The size of what becomes of `bytes`.
  std::size_t round_trip(ByteView bytes) {
    Bytes blocks;
    encoder.encode(bytes, blocks);
    const std::size_t size = blocks.size();
    blocks.insert(blocks.end(), k_deflate_end.begin(), k_deflate_end.end());
    const Bytes back = inflated(blocks, bytes.size());
    EXPECT_TRUE(std::equal(back.begin(), back.end(), bytes.begin(), bytes.end())) << bytes.size() << " bytes";
    return size;
  }
  std::size_t round_trip(std::string_view text) { return round_trip(as_bytes(text)); }

  DeflateEncoder encoder;
};

constexpr std::size_t k_block = 48 * 1024;  // of the format, as the encoder cuts them

// Words of a vocabulary of 200, short ones more often.
std::string prose(std::size_t size) {
  Random random(5);
  std::string text;
  while (text.size() < size) {
    const std::uint64_t word = std::min(random.below(200), random.below(200));
    for (std::uint64_t i = 0; i < 2 + word % 7; ++i) text += static_cast<char>('a' + (word * (i + 3) + i) % 26);
    text += ' ';
  }
  text.resize(size);
  return text;
}

TEST_F(Deflate, NothingGivesNothing) { EXPECT_EQ(round_trip(""), 0u); }

TEST_F(Deflate, EverySizeAtTheEdges) {
  const std::string text = prose(3 * k_block);
  const std::string noise = random_text(3 * k_block);
  for (std::size_t size = 1; size <= 70; ++size)
    for (const std::string& source : {text, noise, std::string(100, 'x')})
      round_trip(std::string_view(source).substr(0, size));
  for (const std::size_t blocks : {1u, 2u})
    for (std::size_t size = blocks * k_block - 9; size <= blocks * k_block + 9; ++size)
      for (const std::string& source : {text, noise, std::string(3 * k_block, 'x')})
        round_trip(std::string_view(source).substr(0, size));
}

TEST_F(Deflate, WhatDoesNotGetSmallerIsStored) {
  const std::size_t size = 1 << 20;
  EXPECT_EQ(round_trip(random_bytes(size)), size + 5 * (size / k_block + 1));
  EXPECT_EQ(round_trip(random_bytes(1)), 6u);
}

TEST_F(Deflate, RunsAndPeriods) {
  for (std::size_t period = 1; period <= 300; period += 1 + period / 7) {
    const std::string unit = random_text(period);
    std::string text;
    while (text.size() < 70'000) text += unit;
    EXPECT_LT(round_trip(text), 2500u) << period;
  }
}

TEST_F(Deflate, CopiesOfEveryLength) {
  for (std::size_t length = 3; length <= 600; length += length < 20 || (length > 250 && length < 270) ? 1 : 37) {
    const std::string unit = random_text(length);
    round_trip(concat(random_text(100, 2), unit, random_text(300, 3), unit, random_text(50, 4)));
  }
}

TEST_F(Deflate, CopiesOfEveryDistance) {
  const std::string unit = random_text(1000);
  for (const std::size_t distance :
       {1000u, 1024u, 1025u, 4096u, 8193u, 24577u, 32767u, 32768u, 32769u, 65535u, 65536u, 65537u, 98304u}) {
    const std::string between = random_text(distance - unit.size(), 2);
    const std::size_t size = round_trip(concat(unit, between, unit));
    const std::size_t alone = distance + unit.size();
    if (distance <= 32768) {
      EXPECT_LT(size, alone - 500) << distance;
    } else {
      EXPECT_GE(size, alone) << distance;
    }
  }
}

// Each symbol as often as the two rarer ones together: Huffman's algorithm alone would make words of 20 bits and more.
TEST_F(Deflate, WordsAreNotTooLong) {
  Random random(3);
  for (const int symbols : {16, 20, 22, 24}) {
    std::string text;
    std::size_t count = 1;
    std::size_t before = 1;
    for (int i = 0; i < symbols; ++i) {
      text.append(count, static_cast<char>(i * 11));
      count = std::exchange(before, count + before);
    }
    // In an order that has no copies worth taking.
    for (std::size_t i = text.size(); i > 1; --i) std::swap(text[i - 1], text[random.below(i)]);
    EXPECT_LT(round_trip(text), text.size() / 2);
  }
}

TEST_F(Deflate, BlocksFollowEachOtherWithoutKnowingOfEachOther) {
  Bytes stream;
  std::string all;
  Bytes blocks;
  for (const std::string& part : {prose(100'000), random_text(5'000), prose(40'000), std::string(), prose(1)}) {
    encoder.encode(as_bytes(part), blocks);
    stream.insert(stream.end(), blocks.begin(), blocks.end());
    all += part;
    Bytes again;
    DeflateEncoder().encode(as_bytes(part), again);
    EXPECT_EQ(again, blocks);
    round_trip(part);
  }
  stream.insert(stream.end(), k_deflate_end.begin(), k_deflate_end.end());
  EXPECT_EQ(to_text(inflated(stream, all.size())), all);
}

TEST_F(Deflate, AnyMixture) {
  Random random(11);
  for (unsigned round = 0; round < 300; ++round) {
    std::string text;
    const std::size_t size = random.below(round % 10 == 0 ? 300'000 : 3'000);
    while (text.size() < size) {
      const std::size_t length = 1 + random.below(1 + random.below(5'000));
      switch (random.below(5)) {
        case 0: text += random_text(length, random.next()); break;
        case 1: text.append(length, static_cast<char>(random.below(256))); break;
        case 2: text += prose(length); break;
        case 3:
          for (std::size_t i = 0; i < length; ++i) text += static_cast<char>(random.below(1 + round % 40));
          break;
        default:
          if (!text.empty()) text += text.substr(random.below(text.size()), length);
      }
    }
    round_trip(text);
    if (HasFailure()) FAIL() << "round " << round;
  }
}

TEST_F(Deflate, IsAboutAsSmallAsTheFastestOfZlib) {
  const std::string text = prose(1 << 20);
  std::string floats;
  Random random(9);
  while (floats.size() < 1 << 20) {  // three random bytes and one of a few values
    floats += random_text(3, random.next());
    floats += static_cast<char>(60 + std::min(random.below(6), random.below(6)));
  }
  for (const std::string& each : {text, floats}) {
    uLongf size = compressBound(each.size());
    Bytes bytes(size);
    must_be_zero(compress2(reinterpret_cast<Bytef*>(bytes.data()), &size, reinterpret_cast<const Bytef*>(each.data()),
                           each.size(), 1));
    EXPECT_LT(round_trip(each), size + size / 10);
  }
}

// On every machine, for all time: an archive that is made again is the same.
TEST_F(Deflate, TheBytesAreThese) {
  Bytes blocks;
  encoder.encode(as_bytes(concat(prose(100'000), random_text(40'000), std::string(50'000, 'x'), prose(50'000))),
                 blocks);
  EXPECT_EQ(Sha256::of(blocks).hex(), "a1c6cc39de184867ef40a6a6f903dbc4f69e0297c7a8be6a3ee317d724f9da61");
}

}  // namespace
}  // namespace studio::content
