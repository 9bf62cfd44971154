#include "base/sha256_kernel.hpp"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define STUDIO_TARGET __attribute__((target("sha,sse4.1")))

namespace studio::sha256 {

namespace {

constexpr std::size_t k_lanes = 2;

// The order in which the instructions take the eight words: ABEF and CDGH, the first in the highest place.
struct Registers {
  __m128i abef;
  __m128i cdgh;
};

STUDIO_TARGET inline __m128i words(std::uint32_t highest, std::uint32_t high, std::uint32_t low, std::uint32_t lowest) {
  return _mm_set_epi32(static_cast<int>(highest), static_cast<int>(high), static_cast<int>(low),
                       static_cast<int>(lowest));
}

STUDIO_TARGET inline void four_rounds(Registers& state, __m128i scheduled) {
  state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, scheduled);
  state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(scheduled, 0x0e));
}

// The next four words of the message schedule, from the sixteen before.
STUDIO_TARGET inline __m128i next_words(__m128i first, __m128i second, __m128i third, __m128i fourth) {
  const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(first, second), _mm_alignr_epi8(fourth, third, 4));
  return _mm_sha256msg2_epu32(sum, fourth);
}

}  // namespace

bool has_instructions() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  // GCC 12 has no name for them in __builtin_cpu_supports.
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & bit_SHA) != 0 &&
         __builtin_cpu_supports("sse4.1") != 0;
}

STUDIO_TARGET void compress_instructions(const LaneData<k_lanes>& data, std::size_t blocks, State<k_lanes>& state) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  Registers sum[k_lanes];
  for (std::size_t i = 0; i < k_lanes; ++i) {
    const auto word = [&](std::size_t number) { return state.word[number][i]; };
    sum[i] = {words(word(0), word(1), word(4), word(5)), words(word(2), word(3), word(6), word(7))};
  }
  for (std::size_t block = 0; block < blocks; ++block) {
    __m128i w[k_lanes][4];
    Registers now[k_lanes];
    for (std::size_t i = 0; i < k_lanes; ++i) {
      now[i] = sum[i];
      for (std::size_t j = 0; j < 4; ++j) {
        const auto* const at = reinterpret_cast<const __m128i*>(data[i] + block * k_block) + j;
        w[i][j] = _mm_shuffle_epi8(_mm_loadu_si128(at), big_endian);
      }
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < 16; ++r) {
      const __m128i constants = _mm_load_si128(reinterpret_cast<const __m128i*>(k_round) + r);
#pragma GCC unroll 2
      for (std::size_t i = 0; i < k_lanes; ++i) {
        four_rounds(now[i], _mm_add_epi32(w[i][r % 4], constants));
        if (r < 12) w[i][r % 4] = next_words(w[i][r % 4], w[i][(r + 1) % 4], w[i][(r + 2) % 4], w[i][(r + 3) % 4]);
      }
    }
    for (std::size_t i = 0; i < k_lanes; ++i)
      sum[i] = {_mm_add_epi32(sum[i].abef, now[i].abef), _mm_add_epi32(sum[i].cdgh, now[i].cdgh)};
  }
  for (std::size_t i = 0; i < k_lanes; ++i) {
    alignas(16) std::uint32_t out[8];
    _mm_store_si128(reinterpret_cast<__m128i*>(out), sum[i].abef);
    _mm_store_si128(reinterpret_cast<__m128i*>(out) + 1, sum[i].cdgh);
    constexpr std::size_t k_place[8] = {3, 2, 7, 6, 1, 0, 5, 4};  // of A to H
    for (std::size_t word = 0; word < 8; ++word) state.word[word][i] = out[k_place[word]];
  }
}

}  // namespace studio::sha256

#else

namespace studio::sha256 {

bool has_instructions() { return false; }
void compress_instructions(const LaneData<2>&, std::size_t, State<2>&) {}

}  // namespace studio::sha256

#endif
