// The checksum of what Studio keeps beside the chunks (doc/format.md, "xxh3").
#pragma once

// A call would cost more than the checksum of a few bytes.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>

#include "base/bytes.hpp"

namespace studio::content {

inline std::uint64_t checksum(ByteView bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace studio::content
