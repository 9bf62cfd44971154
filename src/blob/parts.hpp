// Objects that are put in parts.
#pragma once

#include <algorithm>
#include <span>

#include "base/bytes.hpp"

namespace studio::blob {

// Whether `whole` is the parts one after the other.
inline bool is_concatenation(ByteView whole, std::span<const ByteView> parts) {
  for (const ByteView part : parts) {
    if (part.size() > whole.size() || !std::equal(part.begin(), part.end(), whole.begin())) return false;
    whole = whole.subspan(part.size());
  }
  return whole.empty();
}

}  // namespace studio::blob
