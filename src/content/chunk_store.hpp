// Chunks by digest: packs and index over a blob::Store.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"
#include "blob/store.hpp"
#include "content/chunker.hpp"
#include "content/index_table.hpp"
#include "content/pack.hpp"

namespace studio::content {

// Whether the object that gave this error is damaged or locked by itself. Otherwise the store cannot be reached.
inline bool is_damage(const Error& error) { return error.code == Code::corrupt || error.code == Code::denied; }

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
  using Notice = std::function<void(const std::string&)>;
  ChunkStore(blob::Store& store, Notice notice) : store_(store), notice_(std::move(notice)) {}

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
  Result<void> add(std::vector<IndexedChunk> chunks);

  // Every known chunk, once, in order of digest.
  Result<std::vector<IndexedChunk>> all_chunks();
  // Which chunks are known to be damaged or lost: 0 if none, otherwise a number that differs for other ones. Reads from
  // the store what others have found since.
  Result<std::uint64_t> suspects();
  // Builds the index anew from the packs' footers and replaces every index object with it. Chunks for which `is_bad`
  // are kept as suspect, as are those of packs that are missing or whose footer is damaged, as far as the old index
  // knows them. Without `is_bad` the marks of the old index stay.
  using IsBad = std::function<bool(const Digest& pack, const PackEntry& entry)>;
  Result<void> rebuild_index(const IsBad& is_bad = {});
  bool index_was_rebuilt() const { return rebuilt_; }
  // The index is read from the store again at its next use.
  void forget();

  blob::Store& objects() { return store_; }

 private:
  struct NamedTable {
    Digest name;
    IndexTable table;
  };

  // The functions below expect mutex_ to be held.
  Result<void> load();
  Result<void> load_tables();
  Result<bool> load_new_tables(const std::vector<Digest>& names);
  Result<std::vector<Digest>> list_tables();
  Result<bool> has_packs();
  Result<void> rebuild(const IsBad& is_bad = {});
  Result<void> store_rebuilt();
  Result<std::vector<IndexedChunk>> chunks_of_packs(const std::vector<IndexedChunk>& old, const IsBad& is_bad);
  Result<std::vector<PackEntry>> read_footer(const Digest& pack, const blob::ObjectInfo& info);
  Result<void> merge_small_tables();
  Result<std::optional<Location>> find(const Digest& digest);
  Result<Digest> put_table(ByteView bytes);

  // These take it.
  Result<Location> locate(const Digest& digest);
  Result<void> read_again(const ChunkRef& chunk, std::span<std::byte> into);
  std::vector<Location> all_locations(const Digest& digest);

  blob::Store& store_;
  Notice notice_;
  std::mutex mutex_;
  bool loaded_ = false;
  std::atomic<bool> rebuilt_ = false;
  std::vector<NamedTable> tables_;
  // While the one table in memory was rebuilt and is not in the store: the index objects that it is to replace there.
  std::optional<std::vector<Digest>> replaces_;
};

}  // namespace studio::content
