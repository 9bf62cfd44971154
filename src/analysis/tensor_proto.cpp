#include "analysis/tensor_proto.hpp"

#include <bit>
#include <cmath>
#include <cstring>

#include "analysis/protobuf.hpp"

namespace studio::analysis {

namespace {

// tensorflow/core/framework/types.proto
enum class Type : std::uint64_t {
  real32 = 1,
  real64 = 2,
  int32 = 3,
  uint8 = 4,
  int16 = 5,
  int8 = 6,
  string = 7,
  int64 = 9,
  boolean = 10,
  bfloat16 = 14,
  uint16 = 17,
  real16 = 19,
  uint32 = 22,
  uint64 = 23,
};

// IEEE 754, 3.6: binary16.
double from_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 0x1f;
  const double fraction = bits & 0x3ff;
  double value = 0;
  if (exponent == 0x1f) {
    value = fraction == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else {
    value = std::ldexp(fraction + 1024, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

double from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

template <class Element, class Convert>
void append_elements(ByteView bytes, std::vector<double>& numbers, Convert convert) {
  for (std::size_t at = 0; at + sizeof(Element) <= bytes.size(); at += sizeof(Element)) {
    Element element;
    std::memcpy(&element, bytes.data() + at, sizeof element);
    numbers.push_back(convert(element));
  }
}

template <class Element>
void append_elements(ByteView bytes, std::vector<double>& numbers) {
  append_elements<Element>(bytes, numbers, [](Element element) { return static_cast<double>(element); });
}

// tensor_content: the elements as they lie in memory.
bool append_content(Type type, ByteView bytes, std::vector<double>& numbers) {
  switch (type) {
    case Type::real32: append_elements<float>(bytes, numbers); return true;
    case Type::real64: append_elements<double>(bytes, numbers); return true;
    case Type::int32: append_elements<std::int32_t>(bytes, numbers); return true;
    case Type::uint8:
    case Type::boolean: append_elements<std::uint8_t>(bytes, numbers); return true;
    case Type::int16: append_elements<std::int16_t>(bytes, numbers); return true;
    case Type::int8: append_elements<std::int8_t>(bytes, numbers); return true;
    case Type::int64: append_elements<std::int64_t>(bytes, numbers); return true;
    case Type::uint16: append_elements<std::uint16_t>(bytes, numbers); return true;
    case Type::uint32: append_elements<std::uint32_t>(bytes, numbers); return true;
    case Type::uint64: append_elements<std::uint64_t>(bytes, numbers); return true;
    case Type::real16: append_elements<std::uint16_t>(bytes, numbers, from_half); return true;
    case Type::bfloat16: append_elements<std::uint16_t>(bytes, numbers, from_bfloat); return true;
    case Type::string: return false;
  }
  return false;
}

double from_varint(Type type, std::uint64_t value) {
  if (type == Type::real16) return from_half(static_cast<std::uint16_t>(value));
  if (type == Type::bfloat16) return from_bfloat(static_cast<std::uint16_t>(value));
  if (type == Type::uint64) return static_cast<double>(value);
  return static_cast<double>(static_cast<std::int64_t>(value));  // negative ones are written in ten bytes
}

// One of the fields float_val, int_val, …: the elements as numbers of the message.
bool append_values(Type type, const ProtobufReader& field, std::vector<double>& numbers) {
  if (field.wire() != ProtobufReader::Wire::bytes) {
    const bool is_real = field.wire() != ProtobufReader::Wire::varint;
    numbers.push_back(is_real ? field.real() : from_varint(type, field.integer()));
    return true;
  }
  if (type == Type::real32 || type == Type::real64) return append_content(type, field.bytes(), numbers);
  std::vector<std::uint64_t> varints;
  if (!ProtobufReader::append_varints(field.bytes(), varints)) return false;
  for (const std::uint64_t value : varints) numbers.push_back(from_varint(type, value));
  return true;
}

bool parse_shape(ByteView message, std::vector<std::int64_t>& shape) {
  ProtobufReader in(message);
  while (in.next()) {
    if (in.field() != 2) continue;
    std::int64_t size = 0;
    ProtobufReader dimension(in.bytes());
    while (dimension.next())
      if (dimension.field() == 1) size = static_cast<std::int64_t>(dimension.integer());
    if (dimension.failed() || size < 0) return false;
    shape.push_back(size);
  }
  return !in.failed();
}

// The number of elements that the shape says; more than k_most_elements if it is too many.
std::size_t element_count(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) {
    if (static_cast<std::uint64_t>(size) > k_most_elements) return k_most_elements + 1;
    count *= static_cast<std::size_t>(size);
    if (count > k_most_elements) return k_most_elements + 1;
  }
  return count;
}

}  // namespace

void append_doubles(ByteView packed, std::vector<double>& values) { append_elements<double>(packed, values); }

bool parse_tensor(ByteView message, SmallTensor& tensor) {
  tensor = {};
  Type type{};
  ByteView content;
  // Fields may come in any order: the type first.
  ProtobufReader head(message);
  while (head.next()) {
    if (head.field() == 1) type = static_cast<Type>(head.integer());
    if (head.field() == 2 && !parse_shape(head.bytes(), tensor.shape)) return false;
    if (head.field() == 4) content = head.bytes();
  }
  if (head.failed()) return false;
  const std::size_t count = element_count(tensor.shape);
  if (count > k_most_elements || message.size() > 16 * k_most_elements) return false;
  if (!content.empty()) return append_content(type, content, tensor.numbers) && tensor.numbers.size() == count;
  ProtobufReader in(message);
  while (in.next()) {
    switch (in.field()) {
      case 8:
        if (type == Type::string) tensor.strings.push_back(in.text());
        break;
      case 5:   // float_val
      case 6:   // double_val
      case 7:   // int_val
      case 10:  // int64_val
      case 11:  // bool_val
      case 13:  // half_val
      case 16:  // uint32_val
      case 17:  // uint64_val
        if (!append_values(type, in, tensor.numbers)) return false;
        break;
      default: break;
    }
  }
  if (type == Type::string) return tensor.strings.size() == count;
  // The last value stands for all that follow.
  if (tensor.numbers.size() > count || (tensor.numbers.empty() && count > 0)) return false;
  if (count > 0) tensor.numbers.resize(count, tensor.numbers.back());
  return true;
}

}  // namespace studio::analysis
