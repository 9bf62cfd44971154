// Where a run of bytes lies in the content store: the root of a tree of chunks (doc/format.md, "Content").
#pragma once

#include <compare>
#include <cstdint>

#include "base/digest.hpp"

namespace studio::model {

struct ContentRef {
  std::uint64_t size = 0;  // bytes of content
  std::uint8_t level = 0;  // 0: `digest` names the one chunk; n: it names a list of contents of level n - 1
  Digest digest;           // zero when size is 0
  friend auto operator<=>(const ContentRef&, const ContentRef&) = default;
};

}  // namespace studio::model
