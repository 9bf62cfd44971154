#include "base/codec.hpp"

#include <algorithm>

namespace studio {

void ByteWriter::varint(std::uint64_t value) {
  while (value >= 0x80) {
    u8(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  u8(static_cast<std::uint8_t>(value));
}

void ByteWriter::zigzag(std::int64_t value) {
  varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

ByteView ByteReader::raw(std::size_t size) {
  if (failed_ || size > rest_.size()) {
    failed_ = true;
    rest_ = {};
    return {};
  }
  const ByteView taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

std::uint8_t ByteReader::u8() {
  const ByteView byte = raw(1);
  return byte.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(byte[0]);
}

std::uint64_t ByteReader::fixed(int width) {
  const ByteView bytes = raw(static_cast<std::size_t>(width));
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = (value << 8) | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

std::uint64_t ByteReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = u8();
    if (shift == 63 && byte > 1) break;  // would not fit 64 bits
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return failed_ ? 0 : value;
  }
  failed_ = true;
  rest_ = {};
  return 0;
}

std::int64_t ByteReader::zigzag() {
  const std::uint64_t value = varint();
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

Digest ByteReader::digest() {
  Digest digest;
  const ByteView bytes = raw(Digest::k_size);
  std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
  return digest;
}

std::string ByteReader::sized() {
  const std::uint64_t size = varint();
  return to_text(raw(size > rest_.size() ? rest_.size() + 1 : static_cast<std::size_t>(size)));
}

}  // namespace studio
