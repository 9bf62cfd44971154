// Content-defined chunking: FastCDC with normalisation (Xia et al., USENIX ATC 2016) over a Gear hash of a 16-byte
// window.
//
// The hash of a position depends on the 16 bytes before it and on nothing else, so the candidates for a cut can be
// computed for all positions at once, in any order: that is what lets vector code find the same cuts as this loop
// (doc/design.md).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace studio::content {

// As stored in studio.json. A cut comes after a byte at which the hash masked by `strict_mask` (for the bytes before
// `normal`) or by `loose_mask` (from there on) is zero. The first `minimum` bytes are not looked at; after `maximum`
// there is always a cut.
struct ChunkerParameters {
  std::uint32_t minimum = 16 << 10;
  std::uint32_t normal = 48 << 10;
  std::uint32_t maximum = 192 << 10;
  std::uint16_t strict_mask = 0xffff;
  std::uint16_t loose_mask = 0xfffc;

  friend bool operator==(const ChunkerParameters&, const ChunkerParameters&) = default;
};

// `invalid` unless 16 <= minimum <= normal <= maximum <= k_most_chunk and the masks are not zero.
Result<void> check(const ChunkerParameters& parameters);

// The largest chunk that any store may hold, in bytes: an index keeps its length in 24 bits.
inline constexpr std::uint32_t k_most_chunk = (16 << 20) - 1;

// Length of the first chunk of `data`. `data` must hold at least `maximum` bytes, or all there are.
std::size_t first_cut(const ChunkerParameters& parameters, ByteView data);

}  // namespace studio::content
