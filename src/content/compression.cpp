#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_c_literalCompressionMode; the library is linked statically
#include "content/compression.hpp"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/codec.hpp"
#include "base/concat.hpp"
#include "content/byte_copy.hpp"
#include "content/byte_planes.hpp"

namespace studio::content {

namespace {

using Compressor = std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)>;

constexpr std::size_t k_sample = 4096;
constexpr std::size_t k_run = 64;                         // of bytes that lie together
constexpr std::size_t k_most_sampled = k_sample + k_run;  // their number is rounded up
constexpr std::size_t k_least_for_planes = 4096;          // bytes
constexpr std::uint32_t k_is_frame = 1u << 31;            // in the length of a plane
constexpr std::size_t k_planes_head = 4 * k_planes;

Error does_not_decompress() { return Error{Code::corrupt, "a compressed chunk does not decompress"}; }

// Order-0 entropies in bits per byte.
struct Entropy {
  float whole = 0;
  std::array<float, k_planes> planes{};  // of the bytes with the same position in their word
};

using Counts = std::array<std::uint32_t, 256>;

float entropy_of(const Counts& counts, std::size_t total) {
  // The logarithms of the few counts there can be are worked out once.
  static const auto* const k_weighted = new auto([] {
    std::array<float, k_most_sampled + 1> weighted{};
    for (std::size_t count = 1; count < weighted.size(); ++count)
      weighted[count] = static_cast<float>(count) * std::log2(static_cast<float>(count));
    return weighted;
  }());
  float sum = 0;
  for (const std::uint32_t count : counts) sum += (*k_weighted)[count];
  return std::log2(static_cast<float>(total)) - sum / static_cast<float>(total);
}

// Of about 4 KiB spread over the chunk in short runs.
Entropy sampled_entropy(ByteView chunk) {
  std::array<Counts, k_planes> counts{};
  const std::size_t stride = std::max(k_run, chunk.size() / (k_sample / k_run));
  std::size_t total = 0;
  for (std::size_t at = 0; at < chunk.size(); at += stride) {
    const std::size_t end = std::min(at + k_run, chunk.size());
    for (std::size_t i = at; i < end; ++i) ++counts[i % k_planes][std::to_integer<std::size_t>(chunk[i])];
    total += end - at;
  }
  Entropy entropy;
  Counts sum{};
  for (std::size_t plane = 0; plane < k_planes; ++plane) {
    std::size_t in_plane = 0;
    for (std::size_t value = 0; value < sum.size(); ++value) {
      sum[value] += counts[plane][value];
      in_plane += counts[plane][value];
    }
    if (in_plane > 0) entropy.planes[plane] = entropy_of(counts[plane], in_plane);
  }
  entropy.whole = entropy_of(sum, total);
  return entropy;
}

// Random bytes show about 7.95 as a whole and 7.8 in each plane, float32 weights 7.4 and one plane of 3 (as a whole
// zstd would save 7 % at a third of the speed of the disk), text 4.5 everywhere.
constexpr float k_compressible = 7.0F;

bool are_numbers(const Entropy& entropy) {
  constexpr float k_least = 6.0F;  // below, such as of small integers, zstd finds copies too
  constexpr float k_apart = 0.4F;  // by so much a plane is on average more uniform than the whole; 0.14 of random bytes
  float mean = 0;
  for (const float each : entropy.planes) mean += each / k_planes;
  return entropy.whole >= k_least && mean < entropy.whole - k_apart;
}

// Calls `compress(into, size)` with room for `bound` bytes behind `out`, of which as many stay as it says; none if it
// fails or they are more than `most`.
template <class Compress>
bool append_frame(std::size_t bound, std::size_t most, Bytes& out, const Compress& compress) {
  const std::size_t start = out.size();
  out.resize(start + bound);
  const std::size_t size = compress(out.data() + start, bound);
  const bool is_good = ZSTD_isError(size) == 0 && size <= most;
  out.resize(is_good ? start + size : start);
  return is_good;
}

bool append_zstd(ByteView chunk, std::size_t most, Bytes& out) {
  constexpr int k_level = 1;
  thread_local const Compressor context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  return append_frame(ZSTD_compressBound(chunk.size()), most, out, [&](std::byte* into, std::size_t room) {
    return ZSTD_compressCCtx(context.get(), into, room, chunk.data(), chunk.size(), k_level);
  });
}

// Only its Huffman coder: looking for copies among exponents finds some, which make it slower (4 times) and the result
// larger.
bool append_plane(ByteView plane, Bytes& out) {
  thread_local const Compressor context = [] {
    constexpr int k_no_copies = -100;
    Compressor made(ZSTD_createCCtx(), ZSTD_freeCCtx);
    ZSTD_CCtx_setParameter(made.get(), ZSTD_c_compressionLevel, k_no_copies);
    ZSTD_CCtx_setParameter(made.get(), ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
    return made;
  }();
  return append_frame(ZSTD_compressBound(plane.size()), plane.size() - 1, out, [&](std::byte* into, std::size_t room) {
    return ZSTD_compress2(context.get(), into, room, plane.data(), plane.size());
  });
}

// Those that are stored as they are come first, so that they are split into their place.
bool append_planes(ByteView chunk, const Entropy& entropy, std::size_t most, Bytes& out) {
  thread_local Bytes scratch;  // of what is to be compressed
  if (scratch.size() < chunk.size()) scratch.resize(chunk.size());
  const std::size_t start = out.size();
  out.resize(start + k_planes_head + chunk.size());
  std::array<std::byte*, k_planes> planes{};
  std::byte* as_it_is = out.data() + start + k_planes_head;
  std::byte* to_be_compressed = scratch.data();
  const auto shrinks = [&](std::size_t plane) { return entropy.planes[plane] < k_compressible; };
  for (std::size_t i = 0; i < k_planes; ++i) {
    std::byte*& place = shrinks(i) ? to_be_compressed : as_it_is;
    planes[i] = place;
    place += size_of_plane(i, chunk.size());
  }
  split_planes(chunk, planes);
  out.resize(static_cast<std::size_t>(as_it_is - out.data()));
  ByteWriter head;
  bool is_good = true;
  for (std::size_t i = 0; i < k_planes && is_good; ++i) {
    const ByteView plane(planes[i], size_of_plane(i, chunk.size()));
    if (!shrinks(i)) {
      head.u32(static_cast<std::uint32_t>(plane.size()));
      continue;
    }
    const std::size_t before = out.size();
    is_good = append_plane(plane, out);
    head.u32(static_cast<std::uint32_t>(out.size() - before) | k_is_frame);
  }
  is_good = is_good && out.size() - start <= most;
  if (is_good) {
    std::memcpy(out.data() + start, head.view().data(), k_planes_head);
  } else {
    out.resize(start);
  }
  return is_good;
}

Result<void> decode_frame(ByteView stored, std::span<std::byte> raw) {
  thread_local const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  const std::size_t size = ZSTD_decompressDCtx(context.get(), raw.data(), raw.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) != 0 || size != raw.size()) return does_not_decompress();
  return {};
}

Result<void> decode_planes(ByteView stored, std::span<std::byte> raw) {
  thread_local Bytes unpacked;
  if (unpacked.size() < raw.size()) unpacked.resize(raw.size());
  ByteReader in(stored);
  std::array<std::uint32_t, k_planes> lengths{};
  for (std::uint32_t& length : lengths) length = in.u32();
  std::array<ByteView, k_planes> planes{};
  for (std::size_t i = 0; i < k_planes; ++i)
    if ((lengths[i] & k_is_frame) == 0) planes[i] = in.raw(lengths[i]);
  std::span<std::byte> room(unpacked);
  for (std::size_t i = 0; i < k_planes; ++i) {
    if ((lengths[i] & k_is_frame) == 0) continue;
    const std::span<std::byte> plane = room.first(size_of_plane(i, raw.size()));
    TRY(decode_frame(in.raw(lengths[i] & ~k_is_frame), plane));
    room = room.subspan(plane.size());
    planes[i] = plane;
  }
  bool is_good = !in.failed() && in.remaining() == 0;
  for (std::size_t i = 0; i < k_planes; ++i) is_good = is_good && planes[i].size() == size_of_plane(i, raw.size());
  if (!is_good) return does_not_decompress();
  join_planes(planes, raw);
  return {};
}

}  // namespace

// Four frames have four heads.
std::size_t bound_of_encoded(std::size_t size) { return ZSTD_compressBound(size) + 512; }

Codec append_encoded(ByteView chunk, bool may_split, Bytes& out) {
  constexpr std::size_t k_least = 64;  // bytes
  if (chunk.size() >= k_least) {
    const Entropy entropy = sampled_entropy(chunk);
    const bool split = may_split && chunk.size() >= k_least_for_planes && are_numbers(entropy);
    if (split && append_planes(chunk, entropy, chunk.size() - chunk.size() / 16, out)) return Codec::planes;
    if (!split && entropy.whole < k_compressible && append_zstd(chunk, chunk.size() - chunk.size() / 8, out))
      return Codec::zstd;
  }
  append(out, chunk);
  return Codec::raw;
}

Result<Bytes> decode(Codec codec, ByteView stored, std::size_t raw_length) {
  Bytes raw(raw_length);
  TRY(decode_into(codec, stored, raw));
  return raw;
}

Result<void> decode_into(Codec codec, ByteView stored, std::span<std::byte> raw) {
  switch (codec) {
    case Codec::raw:
      if (stored.size() != raw.size()) return Error{Code::corrupt, "a raw chunk has the wrong length"};
      if (!raw.empty()) std::memcpy(raw.data(), stored.data(), raw.size());
      return {};
    case Codec::zstd: return decode_frame(stored, raw);
    case Codec::planes: return decode_planes(stored, raw);
  }
  return Error{Code::unsupported,
               concat("a chunk uses codec ", static_cast<int>(codec), ", which this version does not know")};
}

}  // namespace studio::content
