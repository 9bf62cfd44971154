// A small tensor in a message (tensorflow/core/framework/tensor.proto).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace studio::analysis {

// Elements in row-major order: numbers, or strings, which borrow the message.
struct SmallTensor {
  std::vector<std::int64_t> shape;
  std::vector<double> numbers;
  std::vector<std::string_view> strings;
};

// False if the message is malformed, has more than `k_most_elements`, or a type that is none of the real numbers or
// strings.
bool parse_tensor(ByteView message, SmallTensor& tensor);

inline constexpr std::size_t k_most_elements = 1 << 20;

// The values of a repeated field of numbers, packed or one by one.
void append_doubles(ByteView packed, std::vector<double>& values);

}  // namespace studio::analysis
