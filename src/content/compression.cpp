#include "content/compression.hpp"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/concat.hpp"
#include "content/byte_copy.hpp"

namespace studio::content {

namespace {

constexpr int k_level = 1;
constexpr std::size_t k_sample = 4096;
constexpr std::size_t k_run = 64;                         // of bytes that lie together
constexpr std::size_t k_most_sampled = k_sample + k_run;  // their number is rounded up

// Order-0 entropy, in bits per byte, of about 4 KiB spread over the chunk in short runs. Random bytes show
// about 7.95, float32 weights about 7.4 (zstd would save 7 % at a third of the speed of the disk), text about 4.5.
float sampled_entropy(ByteView chunk) {
  std::array<std::uint32_t, 256> counts{};
  const std::size_t stride = std::max(k_run, chunk.size() / (k_sample / k_run));
  std::size_t total = 0;
  for (std::size_t at = 0; at < chunk.size(); at += stride) {
    const ByteView run = chunk.subspan(at, std::min(k_run, chunk.size() - at));
    for (const std::byte byte : run) ++counts[std::to_integer<std::size_t>(byte)];
    total += run.size();
  }
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

bool worth_trying(ByteView chunk) {
  if (chunk.size() < 64) return false;
  return sampled_entropy(chunk) < 7.0;
}

}  // namespace

std::size_t bound_of_encoded(std::size_t size) { return ZSTD_compressBound(size); }

Codec append_encoded(ByteView chunk, Bytes& out) {
  if (worth_trying(chunk)) {
    thread_local const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                                       ZSTD_freeCCtx);
    const std::size_t start = out.size();
    const std::size_t bound = ZSTD_compressBound(chunk.size());
    out.resize(start + bound);
    const std::size_t size =
        ZSTD_compressCCtx(context.get(), out.data() + start, bound, chunk.data(), chunk.size(), k_level);
    const bool smaller = ZSTD_isError(size) == 0 && size <= chunk.size() - chunk.size() / 8;
    out.resize(smaller ? start + size : start);
    if (smaller) return Codec::zstd;
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
    case Codec::zstd: {
      thread_local const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                                         ZSTD_freeDCtx);
      const std::size_t size = ZSTD_decompressDCtx(context.get(), raw.data(), raw.size(), stored.data(), stored.size());
      if (ZSTD_isError(size) != 0 || size != raw.size())
        return Error{Code::corrupt, "a compressed chunk does not decompress"};
      return {};
    }
  }
  return Error{Code::unsupported,
               concat("a chunk uses codec ", static_cast<int>(codec), ", which this version does not know")};
}

}  // namespace studio::content
