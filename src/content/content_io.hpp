// Runs of bytes of any length as trees of chunks (doc/format.md, "Content").
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/worker_pool.hpp"
#include "content/chunk_writer.hpp"
#include "content/chunker.hpp"
#include "model/content_ref.hpp"

namespace studio::content {

using model::ContentRef;

inline constexpr std::uint8_t k_most_levels = 12;  // lists of at least 64 entries: far beyond 2^64 bytes

// The entries of a list chunk, each a content of the level below; `corrupt` if it is none or has another level.
Result<std::vector<ChunkRef>> parse_list(ByteView chunk, std::uint8_t level);

bool add_up_to(std::uint64_t size, const std::vector<ChunkRef>& entries);

// Cuts what is written into chunks, puts them, and names the whole. Reusable after finish(), and after discard() when
// something failed. Belongs to one thread at a time.
class ContentWriter {
 public:
  // Puts data on `lane` of the chunk writer. With a pool, whose worker i has lane i + 1, the calling thread must be a
  // worker of it: of a large content, parts are hashed, compressed and packed by all workers while this one goes on.
  ContentWriter(ChunkWriter& chunks, const ChunkerParameters& parameters, ChunkKind kind, std::size_t lane = 0,
                WorkerPool* pool = nullptr)
      : chunks_(chunks), parameters_(parameters), kind_(kind), lane_(lane), pool_(pool) {}
  ~ContentWriter() { discard(); }
  ContentWriter(const ContentWriter&) = delete;
  ContentWriter& operator=(const ContentWriter&) = delete;

  Result<void> write(ByteView bytes);
  // Room for at least `size` bytes to be read into, followed by commit(n): spares a copy.
  std::span<std::byte> prepare(std::size_t size);
  Result<void> commit(std::size_t size);

  Result<ContentRef> finish();
  void discard();  // forgets what was written since the last finish()

 private:
  // Neighbouring chunks that are put together.
  struct Group {
    Bytes buffer;  // holds them
    std::vector<ByteView> chunks;
    std::vector<Digest> digests;
    Result<void> put;
    std::atomic<bool> done = false;
  };

  Result<ContentRef> close();
  Result<void> cut(bool at_end);
  Result<void> put_group(Group& group, std::size_t lane) const;
  Result<void> collect();  // the oldest group
  Result<void> add(std::uint8_t level, ChunkRef entry);
  Result<ChunkRef> put_list(std::uint8_t level);

  ChunkWriter& chunks_;
  const ChunkerParameters& parameters_;
  ChunkKind kind_;
  std::size_t lane_;
  WorkerPool* pool_;
  Bytes buffer_;  // its first `end_` bytes are in no group yet
  std::size_t end_ = 0;
  std::uint64_t size_ = 0;
  std::deque<std::unique_ptr<Group>> groups_;   // under way, in the order of the content
  std::vector<Bytes> spare_;                    // buffers to be used again
  std::vector<std::vector<ChunkRef>> pending_;  // by level: entries that are in no list yet
};

// Reads a content from front to back, or from any offset. Borrows the source. Not thread-safe.
class ContentReader {
 public:
  static constexpr std::uint64_t k_read_ahead = 2 << 20;

  // About `read_ahead` bytes are fetched and kept at a time, at least one chunk.
  ContentReader(ChunkSource& source, const ContentRef& content, std::uint64_t read_ahead = k_read_ahead)
      : source_(source), content_(content), read_ahead_(read_ahead) {}

  // The next piece, empty at the end; it lies in the reader until the next call. Verified; all pieces together are as
  // long as the content, otherwise the last call is `corrupt`.
  Result<ByteView> next();
  // Fills `into`, with no copy of what fills it as a whole chunk. `corrupt` if the content ends before.
  Result<void> read(std::span<std::byte> into);
  // Continues at `offset` (at most the size).
  Result<void> seek(std::uint64_t offset);

 private:
  struct Level {
    std::vector<ChunkRef> entries;
    std::size_t at = 0;
  };
  Result<void> descend(const ChunkRef& entry, std::uint8_t level, std::uint64_t skip);
  Result<void> climb();
  Result<std::span<const ChunkRef>> take_chunks(std::uint64_t most);
  Result<void> fill(std::uint64_t read_ahead);
  ByteView take_ready(std::uint64_t most);

  ChunkSource& source_;
  ContentRef content_;
  std::uint64_t read_ahead_;
  bool started_ = false;
  std::uint64_t left_ = 0;     // bytes from here to the end of the content
  std::vector<Level> levels_;  // the open lists, from the root down
  std::uint64_t skip_ = 0;     // bytes to drop from the next chunk
  Bytes buffer_;               // chunks fetched ahead
  ByteView ready_;             // the bytes of it that were not handed out
};

// All of a small content; `exhausted` if it is larger than `most` bytes.
Result<Bytes> read_content(ChunkSource& source, const ContentRef& content, std::uint64_t most);

}  // namespace studio::content
