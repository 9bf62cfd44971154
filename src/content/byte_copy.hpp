// Copies of bytes in one go: a vector whose allocator constructs elements itself, as that of Bytes does, copies them
// one by one.
#pragma once

#include <cstring>

#include "base/bytes.hpp"

namespace studio::content {

// `bytes` must not lie in `out`.
inline void append(Bytes& out, ByteView bytes) {
  if (bytes.empty()) return;
  const std::size_t size = out.size();
  out.resize(size + bytes.size());
  std::memcpy(out.data() + size, bytes.data(), bytes.size());
}

inline Bytes copy_of(ByteView bytes) {
  Bytes copy;
  append(copy, bytes);
  return copy;
}

}  // namespace studio::content
