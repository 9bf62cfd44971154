// The gzip format (RFC 1952), made by several threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/worker_pool.hpp"
#include "content/deflate.hpp"
#include "content/file_content.hpp"

namespace studio::content {

// Compresses a stream as one gzip member without name or time. The same stream gives the same bytes, however it is cut
// into writes and whatever the number of threads. Holds 1 MiB for each block: two for each thread and one more.
// Belongs to one thread, which also calls the sink; its threads only compress.
class GzipSink {
 public:
  // The stream is cut into blocks of this size, which know nothing of each other.
  static constexpr std::size_t k_block = 512 * 1024;

  // No thread is started before the first block is full. With none, write() compresses.
  explicit GzipSink(Sink sink, std::size_t threads = WorkerPool::usual_threads());

  // An error of the sink comes back from one of the next calls. There is no going on after it.
  Result<void> write(ByteView bytes);
  // Must be called at the end.
  Result<void> finish();

 private:
  struct Block {
    Bytes input;
    Bytes output;
    std::uint32_t crc = 0;
    std::atomic<bool> is_done = false;
  };

  Block& filling() { return blocks_[(oldest_ + submitted_) % blocks_.size()]; }
  // Has the block compressed that is being filled, by up to so many threads if there are none yet.
  void submit(std::size_t threads);
  // Waits for the oldest block that was submitted.
  Result<void> write_oldest();
  Result<void> write_header();

  const Sink sink_;
  const std::size_t threads_;
  // A ring: those that were submitted, the one that is being filled, those that are free.
  std::vector<Block> blocks_;
  std::size_t oldest_ = 0;
  std::size_t submitted_ = 0;
  bool has_header_ = false;
  std::uint32_t crc_ = 0;                 // of what was written
  std::uint32_t size_ = 0;                // the same, modulo 2^32
  std::vector<DeflateEncoder> encoders_;  // one for each thread
  std::optional<WorkerPool> pool_;        // last: it ends first, and uses the others until then
};

}  // namespace studio::content
