#include "content/pack_footer.hpp"

#include <algorithm>

namespace studio::content {

Result<std::vector<PackEntry>> read_pack_footer(blob::Store& store, const Digest& pack, std::uint64_t size) {
  constexpr std::uint64_t k_guess = 64 << 10;  // the footer of nearly every pack is smaller
  const auto read_tail = [&](std::uint64_t length) {
    length = std::min(length, size);
    return store.get(pack_key(pack), {size - length, length});
  };
  TRY_ASSIGN(Bytes tail, read_tail(k_guess));
  TRY_ASSIGN(const std::uint64_t tail_size, pack_tail_size(pack, tail, size));
  if (tail_size > tail.size()) {
    TRY_ASSIGN(tail, read_tail(tail_size));
  }
  return parse_pack_tail(pack, tail, size);
}

}  // namespace studio::content
