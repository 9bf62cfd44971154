// Makes the files of a tree by several threads while another walks it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "base/worker_pool.hpp"
#include "content/restore.hpp"
#include "content/restored_metadata.hpp"
#include "content/tree.hpp"

namespace studio::content {

// Small files are made in batches; of large ones several pieces are written at a time, past the page cache where the
// file system can, which is left to those who train. Belongs to the walking thread; `source` and `log` are used by
// others too. What goes wrong is in the log.
class FileRestorer {
 public:
  FileRestorer(ChunkSource& source, const RestoreOptions& options, RestoreLog& log);
  ~FileRestorer();
  FileRestorer(const FileRestorer&) = delete;
  FileRestorer& operator=(const FileRestorer&) = delete;

  // Sooner or later makes the file in `directory`, an open descriptor that is borrowed until the call returns.
  // `parent`, null for the root, is held until then.
  Result<void> add(int directory, const std::shared_ptr<FilledDirectory>& parent, TreeEntry entry, std::string path);
  // Every file that was added has its name when this returns, if nothing failed.
  void make_names();
  // Every file is complete, if nothing failed.
  void finish();

 private:
  struct NewFile;
  struct Batch;
  struct LargeFile;

  Result<void> add_large(int directory, const std::shared_ptr<FilledDirectory>& parent, TreeEntry entry,
                         std::string path);
  void submit_batch();
  void submit(std::function<void()> task);
  bool goes_on();
  void make(const Batch& batch);
  bool read(const Batch& batch, std::span<std::byte> buffer, std::span<std::span<std::byte>> contents);
  void write_segment(LargeFile& file, std::uint64_t begin);

  ChunkSource& source_;
  const RestoreOptions& options_;
  RestoreLog& log_;
  std::unique_ptr<Batch> open_;  // may still grow
  std::atomic<std::size_t> batches_left_ = 0;
  std::atomic<std::size_t> tasks_left_ = 0;
  std::optional<WorkerPool> pool_;  // none before there is enough to do; ends first
};

}  // namespace studio::content
