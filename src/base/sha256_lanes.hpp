// SHA-256 of several byte runs at once, by one thread.
#pragma once

#include <cstddef>
#include <span>

#include "base/bytes.hpp"
#include "base/digest.hpp"

namespace studio {

// A way to do it. Thread-safe.
struct Sha256Lanes {
  std::size_t lanes;
  bool (*is_supported)();  // by this CPU
  // As many digests as runs. Fast if there are several times as many runs as lanes, or runs of about one length.
  void (*hash)(std::span<const ByteView> runs, std::span<Digest> digests);
};

// Each of the 16 lanes of an AVX-512 register works on a run of its own (Gueron and Krasnov, "Simultaneous Hashing of
// Multiple Messages", 2012).
extern const Sha256Lanes k_sha256_avx512;
// The SHA instructions on two runs in turn: one alone would wait for the result of each.
extern const Sha256Lanes k_sha256_instructions;

}  // namespace studio
