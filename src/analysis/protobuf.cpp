#include "analysis/protobuf.hpp"

#include <cstring>

namespace studio::analysis {

bool ProtobufReader::fail() {
  failed_ = true;
  rest_ = {};
  return false;
}

bool ProtobufReader::read_varint(std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) return fail();
    const auto byte = std::to_integer<std::uint64_t>(rest_.front());
    rest_ = rest_.subspan(1);
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return fail();
}

bool ProtobufReader::read_fixed(std::size_t size) {
  if (rest_.size() < size) return fail();
  number_ = 0;
  std::memcpy(&number_, rest_.data(), size);  // little-endian, as the machine
  rest_ = rest_.subspan(size);
  return true;
}

bool ProtobufReader::next() {
  number_ = 0;
  bytes_ = {};
  if (rest_.empty()) return false;
  std::uint64_t key = 0;
  if (!read_varint(key)) return false;
  if (key >> 3 == 0 || key >> 3 > 0x1fffffff) return fail();
  field_ = static_cast<std::uint32_t>(key >> 3);
  wire_ = static_cast<Wire>(key & 7);
  switch (wire_) {
    case Wire::varint: return read_varint(number_);
    case Wire::fixed64: return read_fixed(8);
    case Wire::fixed32: return read_fixed(4);
    case Wire::bytes: {
      std::uint64_t length = 0;
      if (!read_varint(length)) return false;
      if (length > rest_.size()) return fail();
      bytes_ = rest_.first(length);
      rest_ = rest_.subspan(length);
      return true;
    }
  }
  return fail();  // groups, which nobody writes any more
}

bool ProtobufReader::append_varints(ByteView packed, std::vector<std::uint64_t>& values) {
  ProtobufReader in(packed);
  while (!in.rest_.empty()) {
    std::uint64_t value = 0;
    if (!in.read_varint(value)) return false;
    values.push_back(value);
  }
  return true;
}

double ProtobufReader::real() const {
  if (wire_ == Wire::fixed64) return std::bit_cast<double>(number_);
  if (wire_ == Wire::fixed32) return std::bit_cast<float>(static_cast<std::uint32_t>(number_));
  return 0;
}

}  // namespace studio::analysis
