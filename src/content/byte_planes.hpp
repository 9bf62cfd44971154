// Bytes of words apart: of float32, bfloat16 and float16 the exponents are much alike, the mantissas are noise (Blosc's
// "shuffle" filter does the same).
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/bytes.hpp"

namespace studio::content {

// Plane i has the bytes i, i + 4, i + 8, … of a run, wherever its words begin.
inline constexpr std::size_t k_planes = 4;
constexpr std::size_t size_of_plane(std::size_t plane, std::size_t size) {
  return (size + k_planes - 1 - plane) / k_planes;
}

// Each plane has room for its length.
void split_planes(ByteView bytes, const std::array<std::byte*, k_planes>& planes);
// The inverse. Each plane has its length.
void join_planes(const std::array<ByteView, k_planes>& planes, std::span<std::byte> bytes);

}  // namespace studio::content
