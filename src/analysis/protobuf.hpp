// The wire format of Protocol Buffers (protobuf.dev, "Encoding"), read field by field without a schema.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace studio::analysis {

// Borrows the bytes. A message that is not well formed sets failed() and ends; what was read until then stands.
//
//   for (ProtobufReader in(message); in.next();)
//     if (in.field() == 2) step = in.integer();
class ProtobufReader {
 public:
  enum class Wire { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  explicit ProtobufReader(ByteView message) : rest_(message) {}

  // To the next field; false at the end.
  bool next();
  std::uint32_t field() const { return field_; }
  Wire wire() const { return wire_; }
  bool failed() const { return failed_; }

  // The value of the field, whatever it was written as; zero or empty if it is of another kind.
  std::uint64_t integer() const { return wire_ == Wire::bytes ? 0 : number_; }
  double real() const;  // of a double or a float
  ByteView bytes() const { return bytes_; }
  std::string_view text() const { return as_text(bytes_); }

  // A repeated field of varints that is packed into one. False if it is malformed.
  static bool append_varints(ByteView packed, std::vector<std::uint64_t>& values);

 private:
  bool fail();
  bool read_varint(std::uint64_t& value);
  bool read_fixed(std::size_t size);

  ByteView rest_;
  std::uint32_t field_ = 0;
  Wire wire_ = Wire::varint;
  std::uint64_t number_ = 0;
  ByteView bytes_;
  bool failed_ = false;
};

}  // namespace studio::analysis
