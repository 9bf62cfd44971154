// The numbers of an index object (doc/format.md, "Index"), for those who read and write one.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.hpp"
#include "content/checksum.hpp"

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

// As in the files: little-endian.
inline std::uint64_t load_u64(const std::byte* from) {
  std::uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return std::endian::native == std::endian::little ? value : __builtin_bswap64(value);
}
inline void store_u64(std::byte* into, std::uint64_t value) {
  if (std::endian::native != std::endian::little) value = __builtin_bswap64(value);
  std::memcpy(into, &value, sizeof value);
}

// The first bytes of a digest as a number that sorts as the digest does.
inline std::uint64_t rank_of(ByteView digest) { return __builtin_bswap64(load_u64(digest.data())); }

// Of a block of the filter or the trailer.
inline std::uint64_t seal_of(const std::byte* block) { return checksum({block, k_block_data}); }
inline bool is_sealed(const std::byte* block) { return load_u64(block + k_block_data) == seal_of(block); }

// What the filter has to say of one digest, worked out once for all tables. The digest is a hash already: other bytes
// of it are other hashes.
class FilterKey {
 public:
  explicit FilterKey(ByteView digest) : rank_(rank_of(digest) >> 32) {
    for (std::size_t i = 0; i < k_bits_per_chunk; ++i) {
      const auto low = std::to_integer<std::uint32_t>(digest[8 + 2 * i]);
      const auto high = std::to_integer<std::uint32_t>(digest[9 + 2 * i]);
      const std::uint32_t bit = ((low | (high << 8)) * std::uint32_t{8 * k_block_data}) >> 16;
      words_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }
  }

  // The number of its block, of so many.
  std::uint64_t block_of(std::uint64_t blocks) const { return (rank_ * blocks) >> 32; }
  bool is_in(const std::byte* block) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      if ((load_u64(block + 8 * i) & words_[i]) != words_[i]) return false;
    return true;
  }
  void add_to(std::byte* block) const {
    for (std::size_t i = 0; i < words_.size(); ++i) store_u64(block + 8 * i, load_u64(block + 8 * i) | words_[i]);
  }

 private:
  std::uint64_t rank_;
  std::array<std::uint64_t, k_block_data / 8> words_{};
};

}  // namespace studio::content::index_layout
