// SHA-256 (FIPS 180-4), the name of everything that is content-addressed.
#pragma once

#include <array>
#include <compare>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace studio {

struct Digest {
  static constexpr std::size_t k_size = 32;
  std::array<std::byte, k_size> bytes{};

  ByteView view() const { return bytes; }
  std::string hex() const;  // 64 lower-case digits
  static Result<Digest> from_hex(std::string_view text);
  friend auto operator<=>(const Digest&, const Digest&) = default;
};

// Digests are uniform already: their first bytes are a hash.
struct DigestHash {
  std::size_t operator()(const Digest& digest) const noexcept {
    std::size_t value;
    std::memcpy(&value, digest.bytes.data(), sizeof value);
    return value;
  }
};

std::string hex(ByteView bytes);  // lower case
// The value of a lower-case hexadecimal digit, -1 if it is none.
int hex_value(char digit);

struct Sha256 {
  // Ends the program if the library cannot compute it: a digest that is wrong would name what it is not.
  static Digest of(ByteView bytes);
  // As many digests as runs. Faster than one after the other, by how much depends on the CPU (base/sha256_lanes.hpp).
  static void of_each(std::span<const ByteView> runs, std::span<Digest> digests);
};

}  // namespace studio
