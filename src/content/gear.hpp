// The hash that places the cuts of the chunker: Gear (Xia et al., "Ddelta", Performance Evaluation 79, 2014) over a
// window of 16 bytes, in 16 bits. The hash after byte i is the sum of gear[byte i-k] << k for k from 0 to 15, so every
// position can be computed by itself: vector code finds the very same cuts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace studio::content {

inline constexpr std::size_t k_gear_window = 16;

// The high 16 bits of the first 256 outputs of SplitMix64 (Steele, Lea, Flood 2014) seeded with "STUDIO" in ASCII. Part
// of the format: other numbers would give other cuts.
constexpr std::array<std::uint16_t, 256> make_gear() {
  std::array<std::uint16_t, 256> table{};
  std::uint64_t state = 0x53545544494f;
  for (std::uint16_t& entry : table) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    entry = static_cast<std::uint16_t>((mixed ^ (mixed >> 31)) >> 48);
  }
  return table;
}
inline constexpr std::array<std::uint16_t, 256> k_gear = make_gear();

// The first position in [from, to) after whose byte the hash masked by `mask` is zero, plus one; 0 if there is none.
// `from` is at least k_gear_window. Thread-safe; all give the same.
std::size_t find_cut(ByteView data, std::size_t from, std::size_t to, std::uint16_t mask);  // the fastest there is here
std::size_t find_cut_portable(ByteView data, std::size_t from, std::size_t to, std::uint16_t mask);

// 32 positions at a time. Only where has_gear_avx2() says so.
bool has_gear_avx2();
std::size_t find_cut_avx2(ByteView data, std::size_t from, std::size_t to, std::uint16_t mask);

// 64 positions at a time. Only where has_gear_avx512() says so.
bool has_gear_avx512();
std::size_t find_cut_avx512(ByteView data, std::size_t from, std::size_t to, std::uint16_t mask);

}  // namespace studio::content
