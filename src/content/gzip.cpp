#include "content/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace studio::content {

namespace {

std::array<std::byte, 4> little_endian(std::uint32_t value) {
  std::array<std::byte, 4> bytes{};
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(value & 255);
    value >>= 8;
  }
  return bytes;
}

}  // namespace

GzipSink::GzipSink(Sink sink, std::size_t threads)
    : sink_(std::move(sink)), threads_(threads), blocks_(2 * threads + 1) {}

Result<void> GzipSink::write(ByteView bytes) {
  TRY(write_header());
  while (!bytes.empty()) {
    Bytes& input = filling().input;
    input.reserve(k_block);
    const ByteView part = bytes.first(std::min(bytes.size(), k_block - input.size()));
    input.insert(input.end(), part.begin(), part.end());
    bytes = bytes.subspan(part.size());
    if (input.size() < k_block) break;
    submit(threads_);
    while (submitted_ > 0 && (submitted_ == blocks_.size() || blocks_[oldest_].is_done)) TRY(write_oldest());
  }
  return {};
}

Result<void> GzipSink::finish() {
  TRY(write_header());
  if (!filling().input.empty()) submit(0);
  while (submitted_ > 0) TRY(write_oldest());
  TRY(sink_(k_deflate_end));
  TRY(sink_(little_endian(crc_)));
  return sink_(little_endian(size_));
}

void GzipSink::submit(std::size_t threads) {
  if (!pool_) {
    pool_.emplace(threads);
    encoders_ = std::vector<DeflateEncoder>(std::max(pool_->size(), std::size_t{1}));
  }
  Block& block = filling();
  ++submitted_;
  block.is_done = false;
  pool_->submit([this, &block](std::size_t worker) {
    encoders_[worker].encode(block.input, block.output);
    block.crc =
        static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(block.input.data()), block.input.size()));
    block.is_done = true;
  });
}

Result<void> GzipSink::write_oldest() {
  Block& block = blocks_[oldest_];
  pool_->wait_until([&] { return block.is_done.load(); });
  crc_ = static_cast<std::uint32_t>(crc32_combine(crc_, block.crc, static_cast<z_off_t>(block.input.size())));
  size_ += static_cast<std::uint32_t>(block.input.size());
  block.input.clear();
  oldest_ = (oldest_ + 1) % blocks_.size();
  --submitted_;
  return sink_(block.output);
}

Result<void> GzipSink::write_header() {
  if (has_header_) return {};
  has_header_ = true;
  // Deflate; no flags, no time; the fastest algorithm; Unix.
  static constexpr std::array<unsigned char, 10> k_header{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3};
  return sink_(std::as_bytes(std::span(k_header)));
}

}  // namespace studio::content
