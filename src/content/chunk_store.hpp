// Chunks by digest: packs and index over a blob::Store.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"
#include "blob/store.hpp"
#include "content/chunk_index.hpp"
#include "content/chunker.hpp"
#include "content/index_table.hpp"
#include "content/named_object.hpp"
#include "content/pack.hpp"

namespace studio::content {

// A chunk, and how many bytes of content it holds or, as a list, stands for.
struct ChunkRef {
  Digest digest;
  std::uint64_t size = 0;
};

// Anything that hands out verified chunks. `corrupt` when the stored bytes do not match or are not there: whoever asks
// for a chunk has its digest from something that refers to it.
class ChunkSource {
 public:
  virtual ~ChunkSource() = default;
  virtual Result<Bytes> read(const Digest& digest) = 0;
  // Fills `into`, which is as long as all of them, with these chunks one behind the other; `corrupt` if one has another
  // size. After an error what is in `into` is not verified. Reads neighbours in one go, in the order of the store.
  virtual Result<void> read_into(std::span<const ChunkRef> chunks, std::span<std::byte> into);
};

// Thread-safe. The index is loaded at first use; a damaged or lost one is rebuilt from the packs, and `notice` tells of
// it. Where the store cannot be written the rebuilt index serves from memory.
class ChunkStore : public ChunkSource {
 public:
  using Notice = ChunkIndex::Notice;
  ChunkStore(blob::Store& store, Notice notice) : store_(store), index_(store, std::move(notice)) {}

  // Where the chunk lies, as of the last loading of the index: a place that is not suspect if there is one.
  Result<std::optional<Location>> find(const Digest& digest) { return index_.find(digest); }
  // Whether the chunk is stored and, as far as is known, sound.
  Result<bool> contains(const Digest& digest);
  Result<Bytes> read(const Digest& digest) override;
  Result<void> read_into(std::span<const ChunkRef> chunks, std::span<std::byte> into) override;

  // Puts the pack, durably. Its chunks are found by others only after add().
  Result<std::vector<IndexedChunk>> put_pack(const PackBuilder& pack);
  // A chunk of a pack that was put, verified.
  Result<Bytes> read_at(const Digest& digest, const Location& location);
  // Makes the chunks of these packs, already in the store, known: one index object, merged with others when there are
  // many. That a merge failed is only a notice: the chunks are known, and the next call tries again.
  Result<void> add(std::vector<IndexedChunk> chunks) { return index_.add(std::move(chunks)); }

  // Every known chunk, once, in order of digest.
  Result<void> for_each_chunk(const ChunkVisitor& visit) { return index_.for_each(visit); }
  // Which chunks are known to be damaged or lost: 0 if none, otherwise a number that differs for other ones. Reads from
  // the store what others have found since.
  Result<std::uint64_t> suspects() { return index_.suspects(); }
  // Builds the index anew from the packs' footers and replaces every index object with it. Chunks for which `is_bad`
  // are kept as suspect, as are those of packs that are missing or whose footer is damaged, as far as the old index
  // knows them. Without `is_bad` the marks of the old index stay.
  using IsBad = ChunkIndex::IsBad;
  Result<void> rebuild_index(const IsBad& is_bad = {}) { return index_.rebuild(is_bad); }
  bool index_was_rebuilt() const { return index_.was_rebuilt(); }
  // The index is read from the store again at its next use.
  void forget() { index_.forget(); }

  blob::Store& objects() { return store_; }

 private:
  Result<Location> locate(const Digest& digest);
  Result<void> read_again(const ChunkRef& chunk, std::span<std::byte> into);

  blob::Store& store_;
  ChunkIndex index_;
};

}  // namespace studio::content
