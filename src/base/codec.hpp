// Little-endian fixed-width and LEB128 variable-width integers, as doc/format.md uses them.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"

namespace studio {

class ByteWriter {
 public:
  void u8(std::uint8_t value) { out_.push_back(std::byte{value}); }
  void u16(std::uint16_t value) { fixed(value); }
  void u32(std::uint32_t value) { fixed(value); }
  void u64(std::uint64_t value) { fixed(value); }
  void varint(std::uint64_t value);
  void zigzag(std::int64_t value);
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void raw(std::string_view text) { raw(as_bytes(text)); }
  void digest(const Digest& digest) { raw(digest.view()); }
  void sized(std::string_view text) {  // varint length, then the bytes
    varint(text.size());
    raw(text);
  }

  std::size_t size() const { return out_.size(); }
  ByteView view() const { return out_; }
  Bytes take() { return std::move(out_); }
  void clear() { out_.clear(); }

 private:
  template <class Integer>
  void fixed(Integer value) {
    for (std::size_t i = 0; i < sizeof value; ++i) u8(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  Bytes out_;
};

// Reads what ByteWriter wrote. Bad input (too short, overlong number) sets `failed()` and yields zeros from then on, so
// that a parser checks once at the end of a record. Borrows the bytes.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}

  std::uint8_t u8();
  std::uint16_t u16() { return static_cast<std::uint16_t>(fixed(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(fixed(4)); }
  std::uint64_t u64() { return fixed(8); }
  std::uint64_t varint();
  std::int64_t zigzag();
  ByteView raw(std::size_t size);
  Digest digest();
  std::string sized();

  std::size_t remaining() const { return rest_.size(); }
  bool failed() const { return failed_; }

 private:
  std::uint64_t fixed(int width);
  ByteView rest_;
  bool failed_ = false;
};

}  // namespace studio
