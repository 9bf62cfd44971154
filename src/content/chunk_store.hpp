// Chunks by digest: packs and index over a blob::Store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"
#include "blob/store.hpp"
#include "content/chunker.hpp"
#include "content/index_table.hpp"
#include "content/pack.hpp"

namespace studio::content {

// Anything that hands out verified chunks. `corrupt` when the stored bytes do not match or are not
// there: whoever asks for a chunk has its digest from something that refers to it.
class ChunkSource {
 public:
  virtual ~ChunkSource() = default;
  virtual Result<Bytes> read(const Digest& digest) = 0;
  // The same chunks in the same order; stops at the first error. May read neighbours in one go.
  virtual Result<void> read_each(std::span<const Digest> digests, const std::function<Result<void>(Bytes)>& take);
};

// Thread-safe. The index is loaded at first use; a damaged or missing index object is rebuilt from the packs, once, and `notices`
// tells of it.
class ChunkStore : public ChunkSource {
 public:
  using Notice = std::function<void(const std::string&)>;
  ChunkStore(blob::Store& store, Notice notice) : store_(store), notice_(std::move(notice)) {}

  Result<bool> contains(const Digest& digest);
  Result<Bytes> read(const Digest& digest) override;
  Result<void> read_each(std::span<const Digest> digests, const std::function<Result<void>(Bytes)>& take) override;

  // Makes the chunks of these packs, already in the store, known: one index object, merged with others when there are many.
  Result<void> add(std::vector<IndexedChunk> chunks);

  // Every known chunk, once, in order of digest.
  Result<std::vector<IndexedChunk>> all_chunks();
  // Builds the index anew from the packs' footers and replaces every index object with it.
  Result<void> rebuild_index();
  bool index_was_rebuilt() const { return rebuilt_; }

  blob::Store& objects() { return store_; }

 private:
  struct NamedTable {
    Digest name;
    IndexTable table;
  };

  // The functions below expect mutex_ to be held.
  Result<void> load();
  Result<void> load_tables();
  Result<void> rebuild();
  Result<void> merge_small_tables();
  Result<std::optional<Location>> find(const Digest& digest);
  Result<Digest> put_table(const Bytes& bytes);

  Result<Location> locate(const Digest& digest);
  Result<Bytes> fetch(const Digest& digest, const Location& location);
  Result<void> reload();

  blob::Store& store_;
  Notice notice_;
  std::mutex mutex_;
  bool loaded_ = false;
  bool rebuilt_ = false;
  std::vector<NamedTable> tables_;
};

// Puts new chunks into packs. Nothing is known to others before flush(): a writer that is dropped leaves at most packs that no
// index lists. Not thread-safe.
class ChunkWriter : public ChunkSource {
 public:
  explicit ChunkWriter(ChunkStore& store) : store_(store) {}

  // The chunk is stored unless it is known.
  Result<Digest> put(ChunkKind kind, ByteView raw);
  // Whether the chunk was put here or is in the store.
  Result<bool> knows(const Digest& digest);
  // Packs, then index: all chunks put so far are durable and found by everyone.
  Result<void> flush();
  // A chunk put here or in the store.
  Result<Bytes> read(const Digest& digest) override;

  std::uint64_t new_bytes() const { return new_bytes_; }        // raw bytes of the chunks that were not known, data only
  std::uint64_t stored_bytes() const { return stored_bytes_; }  // all that was or will be written to packs

 private:
  Result<void> write_pack(PackBuilder& pack);

  ChunkStore& store_;
  PackBuilder data_;
  PackBuilder metadata_;
  std::unordered_set<Digest, DigestHash> put_;
  std::vector<IndexedChunk> written_;  // in packs that are durable, not yet in the index
  std::uint64_t new_bytes_ = 0;
  std::uint64_t stored_bytes_ = 0;
};

}  // namespace studio::content
