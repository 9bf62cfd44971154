// SHA-256 of many byte runs at once: each of the 16 lanes of an AVX-512 register works on a run of its own (Gueron and
// Krasnov, "Simultaneous Hashing of Multiple Messages", 2012).
#pragma once

#include <cstddef>
#include <span>

#include "base/bytes.hpp"
#include "base/digest.hpp"

namespace studio {

inline constexpr std::size_t k_sha256_lanes = 16;

bool has_sha256_lanes();

// As many digests as runs. Only where has_sha256_lanes() says so. Fast if there are several times as many runs as
// lanes, or runs of about one length. Thread-safe.
void sha256_in_lanes(std::span<const ByteView> runs, std::span<Digest> digests);

}  // namespace studio
