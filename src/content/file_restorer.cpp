#include "content/file_restorer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <numeric>
#include <utility>
#include <vector>

#include "content/file_content.hpp"
#include "os/error.hpp"

namespace studio::content {

namespace {

constexpr int k_create = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
// Of small files: enough chunks for every lane of the hash, little enough to lie in the cache.
constexpr std::uint64_t k_batch_bytes = 1 << 20;
constexpr std::size_t k_batch_files = 128;
constexpr std::size_t k_batch_directories = 16;  // each takes a descriptor
// Of a large file: enough for the disk to stream.
constexpr std::uint64_t k_segment = 8 << 20;
constexpr std::size_t k_block = 4096;  // what direct writes are aligned to

std::size_t whole_blocks(std::uint64_t size) { return (size + k_block - 1) / k_block * k_block; }

// Of the calling thread, used again for all it does.
std::span<std::byte> aligned_buffer(std::size_t size) {
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  thread_local std::unique_ptr<std::byte, Free> memory;
  thread_local std::size_t capacity = 0;
  if (capacity < size) {
    capacity = whole_blocks(size);
    memory.reset(static_cast<std::byte*>(std::aligned_alloc(k_block, capacity)));
    if (!memory) throw std::bad_alloc();
  }
  return {memory.get(), size};
}

bool adds_up(const TreeEntry& file) {
  std::uint64_t left = file.size;
  for (const Extent& hole : file.holes) left -= hole.length;  // they lie within the size
  return left == file.content.size;
}

}  // namespace

struct FileRestorer::Batch {
  struct Place {
    os::Fd directory;
    std::shared_ptr<FilledDirectory> parent;
  };
  struct Item {
    std::size_t place;
    TreeEntry entry;
    std::string path;
  };
  std::vector<Place> places;
  std::vector<Item> items;
  std::uint64_t bytes = 0;

  bool is_full() const {
    return bytes >= k_batch_bytes || items.size() >= k_batch_files || places.size() >= k_batch_directories;
  }
};

// Gets its length and its metadata when the last who writes to it lets go of it.
struct FileRestorer::LargeFile {
  os::Fd file;
  TreeEntry entry;
  std::string path;
  std::shared_ptr<FilledDirectory> parent;
  bool read_only;
  RestoreLog& log;
  std::atomic<bool> is_direct;

  ~LargeFile();
  // The first `size` bytes of `buffer`, whose rest is up to the end of a block.
  Result<void> write(std::uint64_t offset, std::span<std::byte> buffer, std::size_t size);
};

FileRestorer::LargeFile::~LargeFile() {
  if (log.failed()) return;
  // Direct writes end with a block, and a hole at the end is not written.
  if (::ftruncate(file.get(), static_cast<off_t>(entry.size)) != 0)
    log.fail(path, os::system_error("set the length of", entry.name, errno));
  set_metadata(file, entry, path, read_only, log);
  ++log.files;
}

Result<void> FileRestorer::LargeFile::write(std::uint64_t offset, std::span<std::byte> buffer, std::size_t size) {
  if (is_direct) {
    std::memset(buffer.data() + size, 0, buffer.size() - size);
    const auto written = os::write_at(file, offset, buffer, entry.name);
    if (written || written.error().code != Code::invalid) return written;
    // This file system wants it aligned to more.
    is_direct = false;
    ::fcntl(file.get(), F_SETFL, 0);
  }
  return os::write_at(file, offset, ByteView(buffer).first(size), entry.name);
}

FileRestorer::FileRestorer(ChunkSource& source, const RestoreOptions& options, RestoreLog& log)
    : source_(source), options_(options), log_(log) {}

FileRestorer::~FileRestorer() = default;

Result<void> FileRestorer::add(int directory, const std::shared_ptr<FilledDirectory>& parent, TreeEntry entry,
                               std::string path) {
  if (!adds_up(entry)) return Error{Code::corrupt, "its content has the wrong length"};
  if (entry.content.size > k_batch_bytes) return add_large(directory, parent, std::move(entry), std::move(path));
  if (!open_) open_ = std::make_unique<Batch>();
  Batch& batch = *open_;
  if (batch.places.empty() || batch.places.back().parent != parent) {
    os::Fd own(::fcntl(directory, F_DUPFD_CLOEXEC, 0));
    if (!own) return os::system_error("open", "its directory", errno);
    batch.places.push_back({std::move(own), parent});
  }
  batch.bytes += entry.content.size;
  batch.items.push_back({batch.places.size() - 1, std::move(entry), std::move(path)});
  if (batch.is_full()) submit_batch();
  return {};
}

Result<void> FileRestorer::add_large(int directory, const std::shared_ptr<FilledDirectory>& parent, TreeEntry entry,
                                     std::string path) {
  TRY_ASSIGN(os::Fd file, os::open_at(directory, entry.name, k_create, 0600));
  const bool is_whole = entry.holes.empty();
  // A full disk shows now, and no write has to make the file longer, for which it would wait for the others.
  if (is_whole && ::fallocate(file.get(), 0, 0, static_cast<off_t>(entry.size)) != 0 && errno == ENOSPC)
    return os::system_error("write", entry.name, errno);
  const bool is_direct = is_whole && ::fcntl(file.get(), F_SETFL, O_DIRECT) == 0;
  const std::uint64_t size = entry.content.size;
  const std::shared_ptr<LargeFile> large(new LargeFile{.file = std::move(file),
                                                       .entry = std::move(entry),
                                                       .path = std::move(path),
                                                       .parent = parent,
                                                       .read_only = options_.read_only,
                                                       .log = log_,
                                                       .is_direct = is_direct});
  for (std::uint64_t begin = 0; begin < size && goes_on(); begin += k_segment)
    submit([this, large, begin] { write_segment(*large, begin); });
  return {};
}

void FileRestorer::write_segment(LargeFile& large, std::uint64_t begin) {
  if (!goes_on()) return;
  const TreeEntry& entry = large.entry;
  const std::size_t size = std::min(k_segment, entry.content.size - begin);
  const std::span<std::byte> buffer = aligned_buffer(whole_blocks(size));
  const auto write = [&]() -> Result<void> {
    ContentReader reader(source_, entry.content);
    TRY(reader.seek(begin));
    TRY(reader.read(buffer.first(size)));
    if (entry.holes.empty()) return large.write(begin, buffer, size);
    return visit_data(entry, begin, buffer.first(size), [&](std::uint64_t offset, ByteView data) {
      return os::write_at(large.file, offset, data, entry.name);
    });
  };
  if (const auto written = write(); !written) log_.fail(large.path, written.error());
  log_.bytes += size;
}

// The contents into `buffer`, those that are one chunk together.
bool FileRestorer::read(const Batch& batch, std::span<std::byte> buffer, std::span<std::span<std::byte>> contents) {
  const auto is_one_chunk = [](const ContentRef& content) { return content.level == 0 && content.size > 0; };
  std::vector<ChunkRef> chunks;
  std::size_t end = 0;
  for (const bool one_chunk : {true, false}) {
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
      const ContentRef& content = batch.items[i].entry.content;
      if (is_one_chunk(content) != one_chunk) continue;
      contents[i] = buffer.subspan(end, content.size);
      end += content.size;
      if (one_chunk) chunks.push_back({content.digest, content.size});
    }
  }
  const std::size_t together = std::accumulate(
      chunks.begin(), chunks.end(), std::size_t{0}, [](std::size_t sum, const ChunkRef& chunk) { return sum + chunk.size; });
  // If that fails one by one: to see which it is.
  const bool are_read = source_.read_into(chunks, buffer.first(together)).has_value();
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const Batch::Item& item = batch.items[i];
    if (are_read && is_one_chunk(item.entry.content)) continue;
    const auto read = ContentReader(source_, item.entry.content).read(contents[i]);
    if (!read) log_.fail(item.path, read.error());
    if (!read) return false;
  }
  return true;
}

void FileRestorer::make(const Batch& batch) {
  if (!goes_on()) return;
  std::vector<std::span<std::byte>> contents(batch.items.size());
  if (!read(batch, aligned_buffer(batch.bytes), contents)) return;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const auto& [place, entry, path] = batch.items[i];
    const auto write = [&]() -> Result<void> {
      TRY_ASSIGN(const os::Fd file, os::open_at(batch.places[place].directory.get(), entry.name, k_create, 0600));
      TRY(visit_data(entry, 0, contents[i], [&](std::uint64_t offset, ByteView data) {
        return os::write_at(file, offset, data, entry.name);
      }));
      if (!entry.holes.empty() && ::ftruncate(file.get(), static_cast<off_t>(entry.size)) != 0)
        return os::system_error("set the length of", entry.name, errno);
      set_metadata(file, entry, path, options_.read_only, log_);
      return {};
    };
    if (const auto written = write(); !written) return log_.fail(path, written.error());
    log_.bytes += contents[i].size();
    ++log_.files;
  }
}

// Also tells the others when the user does not want it any more.
bool FileRestorer::goes_on() {
  if (options_.stop.stop_requested()) log_.fail({}, {Code::cancelled, "the restore was interrupted"});
  return !log_.failed();
}

void FileRestorer::submit_batch() {
  if (!open_) return;
  ++batches_left_;
  submit([this, batch = std::shared_ptr<const Batch>(std::move(open_))] {
    make(*batch);
    --batches_left_;
  });
}

void FileRestorer::submit(std::function<void()> task) {
  // More than there are cores: a direct write waits for the disk.
  if (!pool_) pool_.emplace(2 * WorkerPool::usual_threads());
  ++tasks_left_;
  pool_->submit([this, task = std::move(task)](std::size_t) mutable {
    task();
    task = nullptr;  // it lets go of what it held
    --tasks_left_;
  });
}

void FileRestorer::make_names() {
  if (open_ && !pool_) {
    make(*std::exchange(open_, nullptr));  // another thread would not be faster
  } else {
    submit_batch();
  }
  if (pool_) pool_->wait_until([&] { return batches_left_ == 0; });
}

void FileRestorer::finish() {
  make_names();
  for (std::size_t left = tasks_left_; left > 0; left = tasks_left_) {
    pool_->wait_until([&] { return tasks_left_ != left; });
    if (options_.progress) options_.progress(log_.files, log_.bytes);
  }
}

}  // namespace studio::content
