#include "content/gear.hpp"

namespace studio::content {

std::size_t find_cut_portable(ByteView data, std::size_t from, std::size_t to, std::uint16_t mask) {
  std::uint32_t hash = 0;  // only its low 16 bits matter, which depend on the last 16 bytes alone
  const auto roll = [&](std::byte byte) { hash = (hash << 1) + k_gear[std::to_integer<std::size_t>(byte)]; };
  for (std::size_t at = from - k_gear_window; at < from; ++at) roll(data[at]);
  for (std::size_t at = from; at < to; ++at) {
    roll(data[at]);
    if ((hash & mask) == 0) return at + 1;
  }
  return 0;
}

std::size_t find_cut(ByteView data, std::size_t from, std::size_t to, std::uint16_t mask) {
  static const auto k_fastest = has_gear_avx512() ? find_cut_avx512
                                : has_gear_avx2() ? find_cut_avx2
                                                  : find_cut_portable;
  return k_fastest(data, from, to, mask);
}

}  // namespace studio::content
