// Types of elements as NumPy writes them (numpy.org/doc, "The array interface protocol", typestr).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace studio::analysis {

struct NumpyType {
  std::string name;
  std::uint64_t size = 0;  // in bytes; 0 if it is not known
};

// "<f4", or "f4", as "float32"; what has no common name as it is.
NumpyType name_numpy_type(std::string_view written);

}  // namespace studio::analysis
