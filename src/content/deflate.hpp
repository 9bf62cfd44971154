// A fast encoder of the deflate format (RFC 1951).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"

namespace studio::content {

// Turns runs of bytes into deflate blocks. The same run gives the same bytes on every machine. What does not get
// smaller is stored, for 5 bytes in 48 KiB. Not thread-safe; holds about 130 KiB, reused from run to run.
class DeflateEncoder {
 public:
  DeflateEncoder();

  // `output` becomes the blocks of `input`: none of them is the last of a stream, they end at a byte boundary and refer
  // to nothing before them. So the outputs of several runs, one after the other, are a stream when k_deflate_end
  // follows. No bytes give no blocks.
  void encode(ByteView input, Bytes& output);

 private:
  // Some literals, then a copy of `length` bytes that lie `distance` back; the last of a block has no copy: length 0.
  struct Sequence {
    std::uint32_t literals;
    std::uint16_t length;
    std::uint16_t distance;
  };
  class Block;

  void find_sequences(ByteView input, std::size_t begin, std::size_t end);

  static constexpr unsigned k_hash_bits = 14;
  // Where four bytes of that hash were seen last: the lower 16 bits of the position.
  std::array<std::uint16_t, 1 << k_hash_bits> positions_;
  std::vector<Sequence> sequences_;
};

// An empty block that ends a stream.
constexpr std::array<std::byte, 2> k_deflate_end{std::byte{3}, std::byte{0}};

}  // namespace studio::content
