#include "base/sha256_lanes.hpp"

#if defined(__x86_64__)

// GCC 12 takes the undefined vectors in its own header for a mistake (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <vector>

#define STUDIO_TARGET __attribute__((target("avx512f,avx512bw")))

namespace studio {

namespace {

constexpr std::size_t k_block = 64;

// FIPS 180-4, 4.2.2 and 5.3.3.
alignas(64) constexpr std::uint32_t k_round[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
constexpr std::uint32_t k_initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// Word i of every lane's state lies together.
struct State {
  alignas(64) std::uint32_t word[8][k_sha256_lanes];
};

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

// `blocks` blocks of each lane, from where its pointer shows.
STUDIO_TARGET void compress(const std::array<const std::byte*, k_sha256_lanes>& data, std::size_t blocks,
                            State& state) {
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

class LaneHasher {
 public:
  LaneHasher(std::span<const ByteView> runs, std::span<Digest> digests) : runs_(runs), digests_(digests) {
    // The longest first: so the lanes end at about the same time.
    order_.resize(runs.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(),
              [&](std::size_t a, std::size_t b) { return runs[a].size() > runs[b].size(); });
  }

  void hash() {
    for (std::size_t i = 0; i < k_sha256_lanes; ++i) begin_next(i);
    while (active_ > 0) {
      std::size_t steps = SIZE_MAX;
      const std::byte* some = nullptr;
      for (const Lane& lane : lanes_) {
        if (lane.blocks == 0) continue;
        steps = std::min(steps, lane.blocks);
        some = lane.data;
      }
      std::array<const std::byte*, k_sha256_lanes> data;
      // An idle lane reads what another one reads; nobody looks at its state.
      for (std::size_t i = 0; i < k_sha256_lanes; ++i) data[i] = lanes_[i].blocks > 0 ? lanes_[i].data : some;
      // `some` has at least `steps` blocks, as all that are active do.
      compress(data, steps, state_);
      for (std::size_t i = 0; i < k_sha256_lanes; ++i) advance(i, steps);
    }
  }

 private:
  struct Lane {
    const std::byte* data = nullptr;
    std::size_t blocks = 0;       // left of `data`; 0: the lane is idle
    std::size_t tail_blocks = 0;  // to follow
    std::size_t run = 0;
    std::array<std::byte, 2 * k_block> tail;  // what is left of the run, and the padding
  };

  void begin_next(std::size_t i) {
    Lane& lane = lanes_[i];
    if (next_ == order_.size()) return;
    lane.run = order_[next_++];
    ++active_;
    const ByteView run = runs_[lane.run];
    const std::size_t rest = run.size() % k_block;
    lane.tail.fill(std::byte{0});
    std::copy(run.end() - static_cast<std::ptrdiff_t>(rest), run.end(), lane.tail.begin());
    lane.tail[rest] = std::byte{0x80};
    lane.tail_blocks = rest + 9 <= k_block ? 1 : 2;
    const std::uint64_t bits = __builtin_bswap64(std::uint64_t{run.size()} * 8);
    std::memcpy(lane.tail.data() + lane.tail_blocks * k_block - sizeof bits, &bits, sizeof bits);
    for (std::size_t word = 0; word < 8; ++word) state_.word[word][i] = k_initial[word];
    lane.data = run.data();
    lane.blocks = run.size() / k_block;
    if (lane.blocks == 0) begin_tail(lane);
  }

  static void begin_tail(Lane& lane) {
    lane.data = lane.tail.data();
    lane.blocks = lane.tail_blocks;
    lane.tail_blocks = 0;
  }

  void advance(std::size_t i, std::size_t steps) {
    Lane& lane = lanes_[i];
    if (lane.blocks == 0) return;
    lane.data += steps * k_block;
    lane.blocks -= steps;
    if (lane.blocks > 0) return;
    if (lane.tail_blocks > 0) return begin_tail(lane);
    for (std::size_t word = 0; word < 8; ++word) {
      const std::uint32_t value = __builtin_bswap32(state_.word[word][i]);
      std::memcpy(digests_[lane.run].bytes.data() + word * sizeof value, &value, sizeof value);
    }
    --active_;
    begin_next(i);
  }

  std::span<const ByteView> runs_;
  std::span<Digest> digests_;
  std::vector<std::size_t> order_;
  std::size_t next_ = 0;
  std::size_t active_ = 0;
  std::array<Lane, k_sha256_lanes> lanes_;
  State state_{};
};

}  // namespace

bool has_sha256_lanes() { return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0; }

void sha256_in_lanes(std::span<const ByteView> runs, std::span<Digest> digests) { LaneHasher(runs, digests).hash(); }

}  // namespace studio

#else

namespace studio {

bool has_sha256_lanes() { return false; }
void sha256_in_lanes(std::span<const ByteView> runs, std::span<Digest> digests) {
  for (std::size_t i = 0; i < runs.size(); ++i) digests[i] = Sha256::of(runs[i]);
}

}  // namespace studio

#endif
