// An index object: which chunk lies where, sorted by digest, behind a filter, in checked pages (doc/format.md,
// "Index").
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"
#include "blob/store.hpp"
#include "content/compression.hpp"
#include "content/index_layout.hpp"

namespace studio::content {

// Where a chunk lies.
struct Location {
  Digest pack;
  std::uint32_t offset = 0;
  std::uint32_t stored_length = 0;
  std::uint32_t raw_length = 0;
  Codec codec = Codec::raw;
  bool suspect = false;  // found damaged by verify: it may be read, but is no reason not to store the chunk again
};

struct IndexedChunk {
  Digest digest;
  Location location;
};
using ChunkVisitor = std::function<Result<void>(const IndexedChunk&)>;

inline constexpr std::string_view k_index_prefix = "index/";
std::string index_key(const Digest& table);

// One index object, read in place: opening reads its last 64 bytes, a look-up of a chunk that is not here reads 64 more
// (nearly always), one that is here a few pages. What is read is checked each time. Immutable, thread-safe.
class IndexTable {
 public:
  // `corrupt` if it is no index object of this format.
  static Result<IndexTable> open(blob::ObjectView object);

  // False only if the chunk is not here, and nearly always then.
  bool may_hold(const index_layout::FilterKey& chunk) const;
  // Lets the next may_hold() not wait for memory.
  void prefetch(const index_layout::FilterKey& chunk) const;
  // `corrupt` if what must be read for it is damaged.
  Result<std::optional<Location>> find(const Digest& digest) const {
    return find(digest, index_layout::FilterKey(digest.view()));
  }
  Result<std::optional<Location>> find(const Digest& digest, const index_layout::FilterKey& key) const;
  // `corrupt` if anything is damaged. Reads everything.
  Result<void> check() const;
  // All chunks in order, but for those of damaged pages. Stops at the first error of `visit`.
  Result<void> for_each_readable(const ChunkVisitor& visit) const;

  std::uint64_t size() const { return chunk_count_; }
  // 0 if no chunk is suspect, otherwise a number that depends on which ones are.
  std::uint64_t suspects() const { return suspects_; }
  ByteView bytes() const { return object_.bytes(); }  // the object

 private:
  friend class IndexCursor;

  explicit IndexTable(blob::ObjectView object) : object_(std::move(object)) {}
  const std::byte* filter_block(std::uint64_t number) const;
  Result<ByteView> page(std::uint64_t number) const;
  Result<ByteView> entries_of(std::uint64_t page_number) const;
  Result<Digest> pack(std::uint32_t number) const;

  blob::ObjectView object_;
  std::uint64_t chunk_count_ = 0;
  std::uint32_t pack_count_ = 0;
  std::uint64_t suspects_ = 0;
  // The object is pages of entries, pages of packs, blocks of the filter, the trailer.
  std::uint64_t entry_pages_ = 0;
  std::uint64_t pack_pages_ = 0;
  std::uint64_t filter_blocks_ = 0;
};

// Goes through a table in order of digest. Borrows it.
class IndexCursor {
 public:
  explicit IndexCursor(const IndexTable& table) : table_(&table), checked_packs_(table.pack_pages_) {}

  // To the next chunk, at first to the first one; false at the end. `corrupt` if its page is damaged, or that of its
  // pack: the call after that goes on behind it.
  Result<bool> next();
  const IndexedChunk& chunk() const { return chunk_; }

 private:
  Result<Digest> pack(std::uint32_t number);

  const IndexTable* table_;
  std::uint64_t next_page_ = 0;
  ByteView entries_;                 // those of the page that are still to come
  std::vector<bool> checked_packs_;  // by page of packs
  IndexedChunk chunk_;
};

// Every chunk of these tables once, in order of digest; of one that several hold, the first that is not suspect.
// `corrupt` at the first damaged page. Memory: a cursor for each table.
Result<void> for_each_chunk(std::span<const IndexTable* const> tables, const ChunkVisitor& visit);

// Makes an index object from chunks in order.
class IndexBuilder {
 public:
  // About as many chunks will come.
  explicit IndexBuilder(std::uint64_t chunks);

  // Ascending by digest, each digest once.
  void add(const IndexedChunk& chunk);
  Bytes finish() &&;

 private:
  void add_packs();
  void add_filter();
  void add_trailer();

  Bytes out_;
  std::uint64_t chunk_count_ = 0;
  std::uint64_t suspects_ = 0;
  std::vector<Digest> packs_;
  std::unordered_map<Digest, std::uint32_t, DigestHash> pack_numbers_;
};

// The object for these chunks, in any order; of chunks with one digest, one that is not suspect is kept.
Bytes build_index(std::vector<IndexedChunk> chunks);

}  // namespace studio::content
