#include "base/sha256_kernel.hpp"

#if defined(__x86_64__)

// GCC 12 takes the undefined vectors in its own header for a mistake (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

#define STUDIO_TARGET __attribute__((target("avx512f,avx512bw")))

namespace studio::sha256 {

namespace {

constexpr int k_xor = 0x96;     // truth tables of _mm512_ternarylogic: a ^ b ^ c
constexpr int k_choose = 0xca;  // a ? b : c
constexpr int k_majority = 0xe8;

STUDIO_TARGET inline __m512i xor3(__m512i a, __m512i b, __m512i c) { return _mm512_ternarylogic_epi32(a, b, c, k_xor); }

// Rows become columns.
STUDIO_TARGET inline void transpose(__m512i* row) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(row[i], row[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(row[i], row[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    row[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    row[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    row[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    row[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_i32x4(row[i], row[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(row[i], row[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(row[i + 8], row[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(row[i + 8], row[i + 12], 0xdd);
  }
  for (int i = 0; i < 8; ++i) {
    row[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    row[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
  }
}

}  // namespace

STUDIO_TARGET void compress_avx512(const LaneData<16>& data, std::size_t blocks, State<16>& state) {
  const __m512i big_endian = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
  __m512i sum[8];
  for (int i = 0; i < 8; ++i) sum[i] = _mm512_load_si512(state.word[i]);
  for (std::size_t block = 0; block < blocks; ++block) {
    __m512i w[16];
    for (std::size_t i = 0; i < 16; ++i)
      w[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(data[i] + block * k_block), big_endian);
    transpose(w);
    __m512i s[8];
    for (int i = 0; i < 8; ++i) s[i] = sum[i];
#pragma GCC unroll 64
    for (int r = 0; r < 64; ++r) {
      // Instead of moving the eight values on by one each round, their names move.
      const __m512i a = s[(64 - r) & 7];
      const __m512i b = s[(65 - r) & 7];
      const __m512i c = s[(66 - r) & 7];
      __m512i& d = s[(67 - r) & 7];
      const __m512i e = s[(68 - r) & 7];
      const __m512i f = s[(69 - r) & 7];
      const __m512i g = s[(70 - r) & 7];
      __m512i& h = s[(71 - r) & 7];
      const __m512i sigma_e = xor3(_mm512_ror_epi32(e, 6), _mm512_ror_epi32(e, 11), _mm512_ror_epi32(e, 25));
      const __m512i sigma_a = xor3(_mm512_ror_epi32(a, 2), _mm512_ror_epi32(a, 13), _mm512_ror_epi32(a, 22));
      const __m512i scheduled = _mm512_add_epi32(w[r & 15], _mm512_set1_epi32(static_cast<int>(k_round[r])));
      const __m512i one = _mm512_add_epi32(_mm512_add_epi32(h, scheduled),
                                           _mm512_add_epi32(sigma_e, _mm512_ternarylogic_epi32(e, f, g, k_choose)));
      const __m512i two = _mm512_add_epi32(sigma_a, _mm512_ternarylogic_epi32(a, b, c, k_majority));
      d = _mm512_add_epi32(d, one);
      h = _mm512_add_epi32(one, two);
      if (r < 48) {
        const __m512i x = w[(r + 1) & 15];
        const __m512i y = w[(r + 14) & 15];
        const __m512i from_x = xor3(_mm512_ror_epi32(x, 7), _mm512_ror_epi32(x, 18), _mm512_srli_epi32(x, 3));
        const __m512i from_y = xor3(_mm512_ror_epi32(y, 17), _mm512_ror_epi32(y, 19), _mm512_srli_epi32(y, 10));
        w[r & 15] = _mm512_add_epi32(_mm512_add_epi32(w[r & 15], w[(r + 9) & 15]), _mm512_add_epi32(from_x, from_y));
      }
    }
    for (int i = 0; i < 8; ++i) sum[i] = _mm512_add_epi32(sum[i], s[i]);
  }
  for (int i = 0; i < 8; ++i) _mm512_store_si512(state.word[i], sum[i]);
}

bool has_avx512() { return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0; }

}  // namespace studio::sha256

#else

namespace studio::sha256 {

bool has_avx512() { return false; }
void compress_avx512(const LaneData<16>&, std::size_t, State<16>&) {}

}  // namespace studio::sha256

#endif
