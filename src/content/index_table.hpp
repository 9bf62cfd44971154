// An index object: which chunk lies where, sorted by digest, in checked pages (doc/format.md, "Index").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"
#include "content/compression.hpp"

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
// By digest; of one chunk's, those that are not suspect first.
bool comes_before(const IndexedChunk& a, const IndexedChunk& b);

inline constexpr std::string_view k_index_prefix = "index/";
std::string index_key(const Digest& table);

// One index object, read in place: opening checks the head only, a look-up checks the page it reads. Immutable,
// thread-safe.
class IndexTable {
 public:
  // Takes the object's bytes. `corrupt` if its head is damaged.
  static Result<IndexTable> open(Bytes bytes);

  // `corrupt` if the page is damaged.
  Result<std::optional<Location>> find(const Digest& digest) const;
  // All chunks in order; `corrupt` at the first damaged page.
  Result<std::vector<IndexedChunk>> chunks() const;
  // Those of the pages that are not damaged.
  std::vector<IndexedChunk> readable_chunks() const;

  std::uint64_t size() const { return chunk_count_; }
  // 0 if no chunk is suspect, otherwise a number that depends on which ones are.
  std::uint64_t suspects() const { return suspects_; }
  ByteView bytes() const { return bytes_; }  // the object

 private:
  IndexTable() = default;
  Result<ByteView> page(std::uint64_t number) const;
  Result<Location> location_at(ByteView entry) const;
  Result<void> append_page(std::uint64_t number, std::vector<IndexedChunk>& chunks) const;

  Bytes bytes_;
  std::vector<Digest> packs_;
  std::uint64_t chunk_count_ = 0;
  std::uint64_t suspects_ = 0;
  std::uint64_t page_count_ = 0;
  std::size_t pages_at_ = 0;
};

// The object for these chunks, in any order; of chunks with one digest, the first that is not suspect is kept.
Bytes build_index(std::vector<IndexedChunk> chunks);

}  // namespace studio::content
