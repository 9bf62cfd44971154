#include "content/gear.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <bit>

#define STUDIO_TARGET __attribute__((target("avx2,bmi")))

namespace studio::content {

namespace {

constexpr std::size_t k_step = 32;
constexpr std::size_t k_nibbles = 16;

// The low bytes of the table in rows of 16, each twice: the instruction looks up within 128 bits.
using Rows = std::array<std::array<std::uint8_t, k_step>, k_nibbles>;
constexpr Rows make_rows() {
  Rows rows{};
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t i = 0; i < k_step; ++i)
      rows[row][i] = static_cast<std::uint8_t>(k_gear[row * k_nibbles + i % k_nibbles]);
  return rows;
}
alignas(k_step) constexpr Rows k_rows = make_rows();

STUDIO_TARGET inline __m256i row(std::size_t i) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(k_rows[i].data()));
}

// The low half chooses within each row, then each bit of the high half between two rows.
STUDIO_TARGET inline __m256i look_up(__m256i bytes) {
  const __m256i low = _mm256_and_si256(bytes, _mm256_set1_epi8(0x0f));
  const __m256i bit_4 = _mm256_slli_epi16(bytes, 3);  // as the highest of its byte
  const __m256i bit_5 = _mm256_slli_epi16(bytes, 2);
  const __m256i bit_6 = _mm256_slli_epi16(bytes, 1);
  const auto two = [&](std::size_t i) STUDIO_TARGET {
    return _mm256_blendv_epi8(_mm256_shuffle_epi8(row(i), low), _mm256_shuffle_epi8(row(i + 1), low), bit_4);
  };
  const auto four = [&](std::size_t i) STUDIO_TARGET { return _mm256_blendv_epi8(two(i), two(i + 2), bit_5); };
  const auto eight = [&](std::size_t i) STUDIO_TARGET { return _mm256_blendv_epi8(four(i), four(i + 4), bit_6); };
  return _mm256_blendv_epi8(eight(0), eight(8), bytes);
}

// What lies `count` bytes before each byte of `now`, of which `before` are the 32 before.
template <int count>
STUDIO_TARGET inline __m256i earlier(__m256i now, __m256i before) {
  return _mm256_alignr_epi8(now, _mm256_permute2x128_si256(before, now, 0x21), 16 - count);
}

template <int count>
STUDIO_TARGET inline __m256i shifted(__m256i bytes) {
  return _mm256_and_si256(_mm256_slli_epi16(bytes, count), _mm256_set1_epi8(static_cast<char>(0xff << count)));
}

bool is_cut(const std::byte* position, std::uint16_t mask) {
  std::uint32_t hash = 0;
#pragma GCC unroll 16
  for (const std::byte* byte = position + 1 - k_gear_window; byte <= position; ++byte)
    hash = (hash << 1) + k_gear[std::to_integer<std::size_t>(*byte)];
  return (hash & mask) == 0;
}

}  // namespace

bool has_gear_avx2() { return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0; }

// The low byte of a hash needs the low bytes of the table only, and no more than eight of them. Where it lets a cut
// through, the whole hash is looked at.
STUDIO_TARGET std::size_t find_cut_avx2(ByteView data, std::size_t from, std::size_t to, std::uint16_t mask) {
  const auto low_mask = static_cast<std::uint8_t>(mask);
  constexpr int k_least_bits = 5;  // with fewer too much gets through
  if (from < k_step || to - from < k_step || std::popcount(low_mask) < k_least_bits)
    return find_cut_portable(data, from, to, mask);
  const __m256i masks = _mm256_set1_epi8(static_cast<char>(low_mask));
  __m256i one_before = _mm256_setzero_si256();
  __m256i two_before = one_before;
  __m256i four_before = one_before;
  // The step before the first one only fills these, of which no more than the last 7 positions count.
  std::size_t at = from - k_step;
  for (bool is_first = true; at + k_step <= to; at += k_step, is_first = false) {
    const std::byte* const bytes = data.data() + at;
    _mm_prefetch(reinterpret_cast<const char*>(bytes + 4096), _MM_HINT_T0);
    const __m256i one = look_up(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));
    // Sums over windows of 2, 4, 8 by doubling.
    const __m256i two = _mm256_add_epi8(one, shifted<1>(earlier<1>(one, one_before)));
    const __m256i four = _mm256_add_epi8(two, shifted<2>(earlier<2>(two, two_before)));
    const __m256i eight = _mm256_add_epi8(four, shifted<4>(earlier<4>(four, four_before)));
    one_before = one;
    two_before = two;
    four_before = four;
    const __m256i is_zero = _mm256_cmpeq_epi8(_mm256_and_si256(eight, masks), _mm256_setzero_si256());
    auto candidates = static_cast<std::uint32_t>(_mm256_movemask_epi8(is_zero));
    if (candidates == 0 || is_first) continue;
    for (; candidates != 0; candidates &= candidates - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(candidates));
      if (is_cut(bytes + i, mask)) return at + i + 1;
    }
  }
  return find_cut_portable(data, at, to, mask);
}

}  // namespace studio::content

#else

namespace studio::content {

bool has_gear_avx2() { return false; }
std::size_t find_cut_avx2(ByteView data, std::size_t from, std::size_t to, std::uint16_t mask) {
  return find_cut_portable(data, from, to, mask);
}

}  // namespace studio::content

#endif
