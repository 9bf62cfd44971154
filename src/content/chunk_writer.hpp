// Puts new chunks into packs, and the packs into the store.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"
#include "content/chunk_store.hpp"
#include "content/pack.hpp"

namespace studio::content {

// The writing side of one capture. Each thread that puts data has a lane, a pack in the making that nobody else
// touches; full packs are written by threads of the writer's own, so that no lane waits for the disk as long as the
// disk keeps up. A writer that is dropped leaves at most chunks that nothing refers to. Errors of writing come late:
// from the next put or from flush().
class ChunkWriter : public ChunkSource {
 public:
  explicit ChunkWriter(ChunkStore& store, std::size_t lanes = 1, bool split_numbers = true);
  ~ChunkWriter() override;
  ChunkWriter(const ChunkWriter&) = delete;
  ChunkWriter& operator=(const ChunkWriter&) = delete;

  // The chunks are stored unless they are known. As many digests as chunks. One thread at a time for each lane.
  Result<void> put_each(std::size_t lane, std::span<const ByteView> chunks, std::span<Digest> digests);
  // One chunk: metadata from any thread; data as put_each() on lane 0.
  Result<Digest> put(ChunkKind kind, ByteView raw);
  // Whether the chunk was put here or is in the store. Thread-safe.
  Result<bool> knows(const Digest& digest);
  // A chunk put here or in the store. Metadata from any thread; data that was put here only while no lane is at work.
  Result<Bytes> read(const Digest& digest) override;

  // Packs, then index: all chunks put so far are durable and found by everyone. While no lane is at work.
  Result<void> flush();

  std::uint64_t new_bytes() const { return new_bytes_; }  // raw bytes of the chunks that were not known, data only
  std::uint64_t stored_bytes() const { return stored_bytes_; }  // all that was or will be written to packs

 private:
  // Those that were not known; they are from now on.
  Result<std::vector<std::size_t>> claim(std::span<const Digest> digests);
  Result<void> add_to(PackBuilder& pack, const Digest& digest, ChunkKind kind, ByteView raw);
  // Leaves an empty builder. Waits while many packs are on their way.
  Result<void> hand_over(PackBuilder& pack);
  void upload_packs();
  void put_pack(PackBuilder& pack, std::unique_lock<std::mutex>& lock);
  void keep_written(Result<std::vector<IndexedChunk>> chunks);
  Result<void> index_written(std::unique_lock<std::mutex>& lock);

  ChunkStore& store_;
  const bool split_numbers_;
  std::vector<PackBuilder> lanes_;
  std::mutex metadata_mutex_;
  PackBuilder metadata_;
  std::atomic<std::uint64_t> new_bytes_ = 0;
  std::atomic<std::uint64_t> stored_bytes_ = 0;

  std::mutex mutex_;  // for all that follows
  std::condition_variable changed_;
  std::unordered_set<Digest, DigestHash> claimed_;            // put here, not yet in the index
  std::unordered_map<Digest, Location, DigestHash> written_;  // of those, the ones in packs that are durable
  std::deque<PackBuilder> full_;                              // to be written
  std::vector<PackBuilder> spare_;                            // their memory is used again
  std::size_t uploading_ = 0;
  bool indexing_ = false;
  std::optional<Error> failure_;
  bool ending_ = false;
  std::vector<std::jthread> uploaders_;  // none before the first full pack
};

}  // namespace studio::content
