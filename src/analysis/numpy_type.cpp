#include "analysis/numpy_type.hpp"

#include <charconv>

#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::analysis {

NumpyType name_numpy_type(std::string_view written) {
  if (written.empty()) return {"record", 0};
  const std::string_view kinds = "biufcSUVmM";
  const std::size_t begin = written.find_first_not_of("<>|=");
  if (begin == written.npos || kinds.find(written[begin]) == kinds.npos) return {to_utf8(written), 0};
  std::uint64_t size = 0;
  const std::string_view number = written.substr(begin + 1);
  std::from_chars(number.data(), number.data() + number.size(), size);
  if (size > 1 << 20) return {to_utf8(written), 0};
  const auto sized = [&](std::string_view name) { return NumpyType{concat(name, size * 8), size}; };
  switch (written[begin]) {
    case 'b': return {"bool", size};
    case 'i': return sized("int");
    case 'u': return sized("uint");
    case 'f': return sized("float");
    case 'c': return sized("complex");
    case 'U': return {to_utf8(written), size * 4};
    case 'm':
    case 'M': return {to_utf8(written), 8};
    default: return {to_utf8(written), size};
  }
}

}  // namespace studio::analysis
