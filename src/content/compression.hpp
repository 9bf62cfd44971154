// How the bytes of a chunk are kept in a pack (doc/format.md, "Codecs").
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace studio::content {

enum class Codec : std::uint8_t {
  raw = 0,
  zstd = 1,    // one Zstandard frame, RFC 8878
  planes = 2,  // the bytes of 4-byte words apart, each plane raw or a Zstandard frame
};

// Appends the stored form of `chunk` to `out` and returns its codec: zstd when that is at least an eighth smaller,
// planes, which are read faster, when they are at least a sixteenth smaller. What a sample shows not to be compressible
// is not tried. Numbers are only recognised, and stored as planes, if `may_split`. Thread-safe.
Codec append_encoded(ByteView chunk, bool may_split, Bytes& out);

// Of the stored form of a chunk of `size` bytes, while it is made.
std::size_t bound_of_encoded(std::size_t size);

// Fills `raw` with the chunk that `stored` holds; `corrupt` if it is not of that length. The digest is for the caller
// to check. Thread-safe.
Result<void> decode_into(Codec codec, ByteView stored, std::span<std::byte> raw);
Result<Bytes> decode(Codec codec, ByteView stored, std::size_t raw_length);

}  // namespace studio::content
