#include "analysis/crc32c.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace studio::analysis {

namespace {

constexpr std::size_t k_slices = 8;
using Tables = std::array<std::array<std::uint32_t, 256>, k_slices>;

// Eight bytes at a time (Kounavis and Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation",
// 2008).
constexpr Tables make_tables() {
  constexpr std::uint32_t k_reversed_polynomial = 0x82f63b78;
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum & 1) != 0 ? sum >> 1 ^ k_reversed_polynomial : sum >> 1;
    tables[0][byte] = sum;
  }
  for (std::size_t slice = 1; slice < k_slices; ++slice)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = before >> 8 ^ tables[0][before & 0xff];
    }
  return tables;
}
constexpr Tables k_tables = make_tables();
static_assert(std::endian::native == std::endian::little);

}  // namespace

std::uint32_t crc32c(ByteView bytes) {
  std::uint32_t sum = 0xffffffff;
  for (; bytes.size() >= k_slices; bytes = bytes.subspan(k_slices)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    word ^= sum;
    sum = 0;
    for (std::size_t i = 0; i < k_slices; ++i) sum ^= k_tables[k_slices - 1 - i][word >> (8 * i) & 0xff];
  }
  for (const std::byte byte : bytes) sum = sum >> 8 ^ k_tables[0][(sum ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
  return ~sum;
}

std::uint32_t masked_crc32c(ByteView bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8; }

}  // namespace studio::analysis
