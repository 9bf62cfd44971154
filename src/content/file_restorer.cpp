#include "content/file_restorer.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "content/file_content.hpp"
#include "content/staged_name.hpp"
#include "os/direct_file.hpp"
#include "os/error.hpp"

namespace studio::content {

namespace {

constexpr int k_create = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
// Of small files: enough chunks for every lane of the hash, little enough to lie in the cache.
constexpr std::uint64_t k_batch_bytes = 1 << 20;
constexpr std::size_t k_batch_files = 128;
// Each takes two descriptors, of which a process has 1024 or more: this leaves most of them with the most threads.
constexpr std::size_t k_batch_directories = 8;
// Of a large file: enough for the disk to stream.
constexpr std::uint64_t k_segment = 8 << 20;

// Of the calling thread, used again for all it does.
std::span<std::byte> buffer_of(std::size_t size) {
  thread_local Bytes memory;  // aligned, as it is large
  if (memory.size() < size) memory.resize(std::max<std::size_t>(size, k_batch_bytes));
  return std::span(memory).first(size);
}

bool adds_up(const TreeEntry& file) {
  std::uint64_t left = file.size;
  for (const Extent& hole : file.holes) left -= hole.length;  // they lie within the size
  return left == file.content.size;
}

}  // namespace

// Open for writing.
struct FileRestorer::NewFile {
  StagedName place;
  os::Fd file;

  static Result<NewFile> create(int directory, const std::string& name, bool replaces) {
    TRY_ASSIGN(StagedName place, StagedName::begin(directory, name, replaces));
    os::Fd file(::openat(directory, place.current().c_str(), k_create | O_CLOEXEC, 0600));
    if (!file) return os::system_error("create", name, errno);
    return NewFile{std::move(place), std::move(file)};
  }
};

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

// A file whose length is not that of what was written last is on the disk before it gets its time: otherwise it could
// have, after a power failure, the length and the time but not the bytes, and an update would take it for complete. (A
// file system writes the length that comes from appending after the data.)

// Gets its length and its metadata when the last who writes to it lets go of it.
struct FileRestorer::LargeFile {
  std::shared_ptr<FilledDirectory> parent;  // first: let go of when nothing is left to be removed in it
  NewFile made;
  TreeEntry entry;
  std::string path;
  bool read_only;
  RestoreLog& log;
  std::optional<os::DirectFile> direct;  // unless it has holes

  ~LargeFile();
};

FileRestorer::LargeFile::~LargeFile() {
  if (log.failed()) return;
  const auto complete = [&]() -> Result<void> {
    // A direct write ends with a block, and a hole at the end is not written.
    TRY(os::set_length(made.file.get(), entry.size, entry.name));
    return direct && direct->is_direct() ? Result<void>() : os::sync(made.file, entry.name);
  };
  if (const auto completed = complete(); !completed) log.fail(path, completed.error());
  set_metadata(made.file, entry, path, read_only, log);
  if (log.failed()) return;
  if (const auto completed = made.place.complete(); !completed) log.fail(path, completed.error());
  ++log.files;
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
  TRY_ASSIGN(NewFile made, NewFile::create(directory, entry.name, options_.update));
  std::optional<os::DirectFile> direct;
  if (entry.holes.empty()) {
    TRY_ASSIGN(auto begun, os::DirectFile::begin(made.file, entry.size, entry.name));
    direct.emplace(std::move(begun));
  }
  const std::uint64_t size = entry.content.size;
  const std::shared_ptr<LargeFile> large(new LargeFile{parent, std::move(made), std::move(entry), std::move(path),
                                                       options_.read_only, log_, std::move(direct)});
  for (std::uint64_t begin = 0; begin < size && goes_on(); begin += k_segment)
    submit([this, large, begin] { write_segment(*large, begin); });
  return {};
}

void FileRestorer::write_segment(LargeFile& large, std::uint64_t begin) {
  if (!goes_on()) return;
  const TreeEntry& entry = large.entry;
  const std::size_t size = std::min(k_segment, entry.content.size - begin);
  const std::span<std::byte> buffer = buffer_of(os::DirectFile::whole_blocks(size));
  const auto write = [&]() -> Result<void> {
    ContentReader reader(source_, entry.content);
    TRY(reader.seek(begin));
    TRY(reader.read(buffer.first(size)));
    if (large.direct) {
      std::memset(buffer.data() + size, 0, buffer.size() - size);
      return large.direct->write(begin, buffer, entry.name);
    }
    return visit_data(entry, begin, buffer.first(size), [&](std::uint64_t offset, ByteView data) {
      return os::write_at(large.made.file, offset, data, entry.name);
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
  std::size_t together = 0;  // where those end
  for (const bool one_chunk : {true, false}) {
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
      const ContentRef& content = batch.items[i].entry.content;
      if (is_one_chunk(content) != one_chunk) continue;
      contents[i] = buffer.subspan(end, content.size);
      end += content.size;
      if (one_chunk) chunks.push_back({content.digest, content.size});
    }
    if (one_chunk) together = end;
  }
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
  if (!read(batch, buffer_of(batch.bytes), contents)) return;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const auto& [place, entry, path] = batch.items[i];
    const auto write = [&]() -> Result<void> {
      TRY_ASSIGN(NewFile made, NewFile::create(batch.places[place].directory.get(), entry.name, options_.update));
      TRY(visit_data(entry, 0, contents[i], [&](std::uint64_t offset, ByteView data) {
        return os::write_at(made.file, offset, data, entry.name);
      }));
      if (!entry.holes.empty()) {
        TRY(os::set_length(made.file.get(), entry.size, entry.name));
        TRY(os::sync(made.file, entry.name));
      }
      set_metadata(made.file, entry, path, options_.read_only, log_);
      return made.place.complete();
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
  // A large file that may replace another gets its name at its end.
  if (pool_) pool_->wait_until([&] { return (options_.update ? tasks_left_ : batches_left_) == 0; });
}

void FileRestorer::finish() {
  make_names();
  for (std::size_t left = tasks_left_; left > 0; left = tasks_left_) {
    pool_->wait_until([&] { return tasks_left_ != left; });
    if (options_.progress) options_.progress(log_.files, log_.bytes);
  }
}

}  // namespace studio::content
