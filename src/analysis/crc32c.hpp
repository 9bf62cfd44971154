// CRC-32C (Castagnoli; RFC 3720, B.4), as the records of TensorFlow carry it.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace studio::analysis {

std::uint32_t crc32c(ByteView bytes);

// What a record stores in place of the sum itself, which would be a bad one of data that holds sums (TensorFlow,
// core/lib/hash/crc32c.h).
std::uint32_t masked_crc32c(ByteView bytes);

}  // namespace studio::analysis
