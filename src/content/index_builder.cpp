// How an index object is written: its pages as the chunks come, the rest when all are known.
#include <algorithm>
#include <cstring>
#include <tuple>

#include "base/codec.hpp"
#include "content/index_table.hpp"

namespace studio::content {

using namespace index_layout;

namespace {

void put_u32(std::byte* into, std::uint32_t value) {
  for (std::size_t i = 0; i < sizeof value; ++i) into[i] = static_cast<std::byte>(value >> (8 * i));
}

// Room for zeros, at the end.
std::byte* extend(Bytes& bytes, std::size_t size) {
  const std::size_t before = bytes.size();
  bytes.resize(before + size);
  std::memset(bytes.data() + before, 0, size);
  return bytes.data() + before;
}

void seal(std::byte* data, std::size_t size) { store_u64(data + size, checksum({data, size})); }

}  // namespace

IndexBuilder::IndexBuilder(std::uint64_t chunks) {
  // Entries and filter are 50 bytes a chunk; memory that is not written to is none.
  constexpr std::size_t k_most_per_chunk = 64;
  out_.reserve(chunks * k_most_per_chunk + 3 * k_page_size);
}

void IndexBuilder::add(const IndexedChunk& chunk) {
  const Location& location = chunk.location;
  const auto [pack, is_new] = pack_numbers_.emplace(location.pack, static_cast<std::uint32_t>(packs_.size()));
  if (is_new) packs_.push_back(location.pack);
  if (location.suspect) suspects_ += ByteReader(chunk.digest.view()).u64() + ByteReader(location.pack.view()).u64();
  const std::size_t slot = chunk_count_++ % k_entries_per_page;
  if (slot == 0) extend(out_, k_page_size);
  std::byte* const page = out_.data() + out_.size() - k_page_size;
  std::byte* const entry = page + slot * k_entry_size;
  std::memcpy(entry, chunk.digest.bytes.data(), Digest::k_size);
  put_u32(entry + 32, pack->second);
  put_u32(entry + 36, location.offset);
  put_u32(entry + 40, location.stored_length);
  put_u32(entry + 44, location.raw_length | (static_cast<std::uint32_t>(location.codec) << k_raw_length_bits) |
                          (location.suspect ? k_suspect : 0));
  if (slot + 1 == k_entries_per_page) seal(page, k_page_data);
}

void IndexBuilder::add_packs() {
  for (std::size_t at = 0; at < packs_.size(); at += k_packs_per_page) {
    std::byte* const page = extend(out_, k_page_size);
    const std::size_t count = std::min(k_packs_per_page, packs_.size() - at);
    for (std::size_t i = 0; i < count; ++i)
      std::memcpy(page + i * Digest::k_size, packs_[at + i].bytes.data(), Digest::k_size);
    seal(page, k_page_data);
  }
}

void IndexBuilder::add_filter() {
  const std::uint64_t blocks = count_of(chunk_count_, k_chunks_per_block);
  extend(out_, blocks * k_block_size);
  std::byte* const filter = out_.data() + out_.size() - blocks * k_block_size;
  for (std::uint64_t i = 0; i < chunk_count_; ++i) {
    const std::size_t at = i / k_entries_per_page * k_page_size + i % k_entries_per_page * k_entry_size;
    const ByteView digest = ByteView(out_).subspan(at, Digest::k_size);
    const FilterKey key(digest);
    key.add_to(filter + key.block_of(blocks) * k_block_size);
  }
  for (std::uint64_t i = 0; i < blocks; ++i) seal(filter + i * k_block_size, k_block_data);
}

void IndexBuilder::add_trailer() {
  std::byte* const trailer = extend(out_, k_block_size);
  std::memcpy(trailer, k_magic.data(), k_magic.size());
  put_u32(trailer + 8, k_version);
  put_u32(trailer + 12, static_cast<std::uint32_t>(packs_.size()));
  store_u64(trailer + 16, chunk_count_);
  store_u64(trailer + 24, suspects_);
  seal(trailer, k_block_data);
}

Bytes IndexBuilder::finish() && {
  if (chunk_count_ % k_entries_per_page != 0) seal(out_.data() + out_.size() - k_page_size, k_page_data);
  add_packs();
  add_filter();
  add_trailer();
  return std::move(out_);
}

Bytes build_index(std::vector<IndexedChunk> chunks) {
  const auto order_of = [](const IndexedChunk& chunk) {
    const Location& location = chunk.location;
    return std::tie(chunk.digest, location.suspect, location.pack, location.offset);
  };
  std::sort(chunks.begin(), chunks.end(), [&](const auto& a, const auto& b) { return order_of(a) < order_of(b); });
  chunks.erase(std::unique(chunks.begin(), chunks.end(),
                           [](const IndexedChunk& a, const IndexedChunk& b) { return a.digest == b.digest; }),
               chunks.end());
  IndexBuilder builder(chunks.size());
  for (const IndexedChunk& chunk : chunks) builder.add(chunk);
  return std::move(builder).finish();
}

}  // namespace studio::content
