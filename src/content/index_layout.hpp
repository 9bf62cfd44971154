// The numbers of an index object (doc/format.md, "Index"), for those who read and write one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/codec.hpp"
#include "base/digest.hpp"

namespace studio::content::index_layout {

inline constexpr std::string_view k_magic = "STUDINDX";
inline constexpr std::uint32_t k_version = 2;

inline constexpr std::size_t k_page_size = 4096;  // data, its checksum, 8 zero bytes
inline constexpr std::size_t k_page_data = 4080;
inline constexpr std::size_t k_entry_size = 48;
inline constexpr std::size_t k_entries_per_page = 85;
inline constexpr std::size_t k_packs_per_page = 127;
// The last field of an entry: length, codec, and whether it is suspect.
inline constexpr std::uint32_t k_raw_length_bits = 24;
inline constexpr std::uint32_t k_suspect = 1u << 31;

// A block of the filter, and the trailer: data, then its checksum. A cache line.
inline constexpr std::size_t k_block_size = 64;
inline constexpr std::size_t k_block_data = 56;
inline constexpr std::size_t k_chunks_per_block = 32;
inline constexpr std::size_t k_bits_per_chunk = 8;

constexpr std::uint64_t count_of(std::uint64_t things, std::uint64_t per) { return (things + per - 1) / per; }

// The first bytes of a digest as a number that sorts as the digest does.
inline std::uint64_t rank_of(ByteView digest) {
  std::uint64_t rank = 0;
  for (std::size_t i = 0; i < 8; ++i) rank = (rank << 8) | std::to_integer<std::uint64_t>(digest[i]);
  return rank;
}

// The block of the filter that knows the chunk, of so many.
inline std::uint64_t block_of(ByteView digest, std::uint64_t blocks) {
  return ((rank_of(digest) >> 32) * blocks) >> 32;
}

// A bit of the block that is set for the chunk. The digest is a hash already: other bytes of it are other hashes.
struct FilterBit {
  std::size_t byte;
  std::byte mask;
};
inline FilterBit filter_bit(ByteView digest, std::size_t number) {
  const auto low = std::to_integer<std::uint32_t>(digest[8 + 2 * number]);
  const auto high = std::to_integer<std::uint32_t>(digest[9 + 2 * number]);
  const std::uint32_t bit = ((low | (high << 8)) * std::uint32_t{8 * k_block_data}) >> 16;
  return {bit / 8, std::byte{1} << (bit % 8)};
}

}  // namespace studio::content::index_layout
