#include "content/byte_planes.hpp"

#include <algorithm>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace studio::content {

namespace {

#ifdef __SSE2__

constexpr std::size_t k_lanes = 16;  // bytes of one plane that are moved at a time

__m128i load(const std::byte* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }
void store(std::byte* into, __m128i value) { _mm_storeu_si128(reinterpret_cast<__m128i*>(into), value); }

struct Words {
  __m128i first, second, third, fourth;
};

// Byte `plane` of each of the 16 words.
template <int plane>
__m128i gather(const Words& words) {
  const __m128i low = _mm_set1_epi32(0xff);
  const auto pick = [&](__m128i four) { return _mm_and_si128(_mm_srli_epi32(four, 8 * plane), low); };
  return _mm_packus_epi16(_mm_packs_epi32(pick(words.first), pick(words.second)),
                          _mm_packs_epi32(pick(words.third), pick(words.fourth)));
}

// Whole groups of words; returns how many bytes of each plane are done.
std::size_t split_groups(ByteView bytes, const std::array<std::byte*, k_planes>& planes) {
  std::size_t at = 0;
  for (; (at + k_lanes) * k_planes <= bytes.size(); at += k_lanes) {
    const std::byte* const from = bytes.data() + at * k_planes;
    const Words words{load(from), load(from + 16), load(from + 32), load(from + 48)};
    store(planes[0] + at, gather<0>(words));
    store(planes[1] + at, gather<1>(words));
    store(planes[2] + at, gather<2>(words));
    store(planes[3] + at, gather<3>(words));
  }
  return at;
}

std::size_t join_groups(const std::array<ByteView, k_planes>& planes, std::span<std::byte> bytes) {
  std::size_t at = 0;
  for (; (at + k_lanes) * k_planes <= bytes.size(); at += k_lanes) {
    const __m128i a = load(planes[0].data() + at);
    const __m128i b = load(planes[1].data() + at);
    const __m128i c = load(planes[2].data() + at);
    const __m128i d = load(planes[3].data() + at);
    const __m128i ab_low = _mm_unpacklo_epi8(a, b);
    const __m128i ab_high = _mm_unpackhi_epi8(a, b);
    const __m128i cd_low = _mm_unpacklo_epi8(c, d);
    const __m128i cd_high = _mm_unpackhi_epi8(c, d);
    std::byte* const into = bytes.data() + at * k_planes;
    store(into, _mm_unpacklo_epi16(ab_low, cd_low));
    store(into + 16, _mm_unpackhi_epi16(ab_low, cd_low));
    store(into + 32, _mm_unpacklo_epi16(ab_high, cd_high));
    store(into + 48, _mm_unpackhi_epi16(ab_high, cd_high));
  }
  return at;
}

#else

std::size_t split_groups(ByteView, const std::array<std::byte*, k_planes>&) { return 0; }
std::size_t join_groups(const std::array<ByteView, k_planes>&, std::span<std::byte>) { return 0; }

#endif

}  // namespace

void split_planes(ByteView bytes, const std::array<std::byte*, k_planes>& planes) {
  for (std::size_t i = split_groups(bytes, planes) * k_planes; i < bytes.size(); ++i)
    planes[i % k_planes][i / k_planes] = bytes[i];
}

void join_planes(const std::array<ByteView, k_planes>& planes, std::span<std::byte> bytes) {
  for (std::size_t i = join_groups(planes, bytes) * k_planes; i < bytes.size(); ++i)
    bytes[i] = planes[i % k_planes][i / k_planes];
}

}  // namespace studio::content
