#include "content/gear.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <bit>

#define STUDIO_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi")))

namespace studio::content {

namespace {

constexpr std::size_t k_step = 64;

// The table as bytes: the instruction looks up bytes.
struct GearBytes {
  alignas(64) std::array<std::uint8_t, 256> low{};
  alignas(64) std::array<std::uint8_t, 256> high{};
};
constexpr GearBytes make_gear_bytes() {
  GearBytes bytes;
  for (std::size_t i = 0; i < 256; ++i) {
    bytes.low[i] = static_cast<std::uint8_t>(k_gear[i]);
    bytes.high[i] = static_cast<std::uint8_t>(k_gear[i] >> 8);
  }
  return bytes;
}
constexpr GearBytes k_gear_bytes = make_gear_bytes();

struct ByteTable {
  __m512i part[4];
};

STUDIO_TARGET ByteTable load_table(const std::array<std::uint8_t, 256>& bytes) {
  ByteTable table;
  for (std::size_t i = 0; i < 4; ++i) table.part[i] = _mm512_load_si512(bytes.data() + 64 * i);
  return table;
}

STUDIO_TARGET inline __m512i look_up(const ByteTable& table, __m512i indexes) {
  const __m512i below_128 = _mm512_permutex2var_epi8(table.part[0], indexes, table.part[1]);
  const __m512i from_128 = _mm512_permutex2var_epi8(table.part[2], indexes, table.part[3]);
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(indexes), below_128, from_128);
}

// What the sums of the positions before these add to them: of each length, the last vector.
struct Carry {
  __m512i one;
  __m512i two;
  __m512i four;
  __m512i eight;
};

// From the table's values of 32 positions their hashes: sums over windows of 2, 4, 8, 16 by doubling.
STUDIO_TARGET inline __m512i hash_of(__m512i one, Carry& carry) {
  const __m512i by_one = _mm512_set_epi16(30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12,
                                          11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 63);
  const __m512i two = _mm512_add_epi16(one, _mm512_slli_epi16(_mm512_permutex2var_epi16(one, by_one, carry.one), 1));
  const __m512i four = _mm512_add_epi16(two, _mm512_slli_epi16(_mm512_alignr_epi32(two, carry.two, 15), 2));
  const __m512i eight = _mm512_add_epi16(four, _mm512_slli_epi16(_mm512_alignr_epi32(four, carry.four, 14), 4));
  const __m512i sixteen = _mm512_add_epi16(eight, _mm512_slli_epi16(_mm512_alignr_epi32(eight, carry.eight, 12), 8));
  carry = {one, two, four, eight};
  return sixteen;
}

}  // namespace

bool has_gear_avx512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512vbmi") != 0;
}

STUDIO_TARGET std::size_t find_cut_avx512(ByteView data, std::size_t from, std::size_t to, std::uint16_t mask) {
  if (from < k_step || to - from < k_step) return find_cut_portable(data, from, to, mask);
  const ByteTable low = load_table(k_gear_bytes.low);
  const ByteTable high = load_table(k_gear_bytes.high);
  // So that interleaving the bytes of low and high, which works within each 128 bits, gives the positions in order.
  const __m512i in_order = _mm512_set_epi64(7, 3, 6, 2, 5, 1, 4, 0);
  const __m512i masks = _mm512_set1_epi16(static_cast<short>(mask));
  Carry carry{_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
  // The step before the first one only fills the carry, of which no more than the last 15 positions count.
  std::size_t at = from - k_step;
  for (bool is_first = true; at + k_step <= to; at += k_step, is_first = false) {
    const std::byte* const bytes = data.data() + at;
    _mm_prefetch(reinterpret_cast<const char*>(bytes + 4096), _MM_HINT_T0);
    const __m512i indexes = _mm512_permutexvar_epi64(in_order, _mm512_loadu_si512(bytes));
    const __m512i lows = look_up(low, indexes);
    const __m512i highs = look_up(high, indexes);
    const __m512i first = hash_of(_mm512_unpacklo_epi8(lows, highs), carry);
    const __m512i second = hash_of(_mm512_unpackhi_epi8(lows, highs), carry);
    const std::uint64_t cuts = std::uint64_t{_mm512_testn_epi16_mask(first, masks)} |
                               std::uint64_t{_mm512_testn_epi16_mask(second, masks)} << 32;
    if (cuts != 0 && !is_first) return at + static_cast<std::size_t>(std::countr_zero(cuts)) + 1;
  }
  return find_cut_portable(data, at, to, mask);
}

}  // namespace studio::content

#else

namespace studio::content {

bool has_gear_avx512() { return false; }
std::size_t find_cut_avx512(ByteView data, std::size_t from, std::size_t to, std::uint16_t mask) {
  return find_cut_portable(data, from, to, mask);
}

}  // namespace studio::content

#endif
