// Captures a file or a directory tree into chunks: walk, compare with the stat cache, read what changed.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "content/coded_entries.hpp"
#include "content/file_reader.hpp"
#include "content/ignore_rules.hpp"
#include "content/stat_cache.hpp"
#include "content/tree.hpp"
#include "model/version.hpp"
#include "os/directory.hpp"

namespace studio::content {

struct SaveRequest {
  std::string path;                          // absolute; a symlink here is followed
  const model::Version* previous = nullptr;  // of this artifact: what the changes are counted against
  std::string cache_path;                    // stat cache of `path`; empty: none is used
  std::vector<os::FileId> left_out;          // files and directories that are not captured, such as the store's own
  bool missing_is_empty = false;             // a missing path is saved as an empty directory
  bool append_only = false;                  // the file is only ever appended to: its prefix is no problem
  // Called now and then from the saving thread.
  std::function<void(std::uint64_t files, std::uint64_t bytes)> progress = {};
};

// A tree whose chunks were put, not flushed.
struct SavedTree {
  model::ArtifactKind kind = model::ArtifactKind::directory;
  std::string file_name;
  ContentRef root;
  std::uint32_t root_mode = 0755;  // of the directory itself, which is no entry of its tree
  std::int64_t root_modified_ns = 0;
  model::Totals totals;
  std::vector<model::Problem> problems;
  std::uint64_t problem_count = 0;
  std::vector<std::string> left_out;      // where `SaveRequest::left_out` struck
  std::unique_ptr<StatCacheDraft> cache;  // when it differs from the one that was used
};

// One save: the calling thread walks, the pool's read and put what is new. Not thread-safe.
class Saver {
 public:
  // As many lanes must the chunk writer have.
  static std::size_t lanes();
  // `cache` may be null; it must describe a version that is in the store.
  Saver(ChunkWriter& chunks, const ChunkerParameters& parameters, const Clock& clock, const SaveRequest& request,
        const StatCache* cache, std::stop_token stop);
  ~Saver() { stopping_.request_stop(); }  // after an error nobody wants what the workers are at

  // `not_found` if the path is missing, `denied` if it cannot be opened. What cannot be read below it is a problem of
  // the result.
  Result<SavedTree> save();

 private:
  struct FreshEntry {
    CachedEntry cached;
    bool in_old_cache = false;  // a directory whose block is still that of the old cache
  };
  // Files of one directory that a worker reads one after the other.
  struct Batch {
    struct Item {
      std::string name;
      const CachedEntry* cached;
      Result<FileRead> read = FileRead{};
    };
    os::Fd directory;  // for a worker; not open before
    std::vector<Item> items;
    std::uint64_t bytes = 0;
    std::atomic<bool> done = false;
  };
  // One directory on the way from the root to where the walk is.
  struct Level {
    std::vector<std::string> names;
    std::size_t at = 0;
    CachedEntries cached;                  // what the cache has of this directory
    std::uint64_t cached_block = 0;        // where; 0: nothing
    std::size_t confirmed = 0;             // of these, so many were found as they are, and nothing else yet; or
    CodedEntries fresh;                    // what was found so far
    std::vector<std::string> passed_over;  // names seen that have no entry and need no other look
    CachedEntry self;                      // of the directory itself; its content is the cached one until finish_level
    struct stat listed {};                 // when the names were read
    int relisted = 0;
    bool unchanged = true;  // so far `fresh` equals `cached`
    std::size_t parent_path_length = 0;
    std::deque<std::shared_ptr<Batch>> batches;  // not taken in yet; the last may still grow
  };

  // The names of one file that has several, for as long as not all were met.
  struct HardLinked {
    CachedEntry first;  // as it was saved under its first name
    std::string path;   // of that
    nlink_t names_left = 0;
  };

  Result<void> save_directory(os::Fd root);
  void read_ignore_rules();
  Result<void> save_single_file(const std::string& path);
  Result<void> start_level(CachedEntry self, std::uint64_t cached_block);
  Result<bool> list_again(Level& level);
  Result<void> visit(const std::string& name);
  // False if it must be visited.
  Result<bool> keep_unchanged_directory(const struct stat& info, const CachedEntry* cached);
  Result<void> visit_directory(const std::string& name, const struct stat& info, const CachedEntry* cached);
  Result<void> keep_unreadable_directory(const std::string& name, const struct stat& info, const CachedEntry* cached,
                                         std::string problem);
  // The next ones: nothing if there is no entry to keep.
  Result<std::optional<CachedEntry>> save_regular(const std::string& name, const struct stat& info,
                                                  const CachedEntry* cached);
  Result<std::optional<CachedEntry>> save_new_content(const std::string& name, std::uint64_t size,
                                                      const CachedEntry* cached);
  std::optional<CachedEntry> accept(FileRead read, const std::string& name, const CachedEntry* cached);
  // The entry comes with settle().
  Result<void> save_later(const std::string& name, std::uint64_t size, const CachedEntry* cached);
  Result<void> settle(Level& level);
  Result<void> take_in(Batch& batch);
  static bool is_full(const Batch& batch);  // handed over, or about to be
  Result<void> submit(std::shared_ptr<Batch> batch);
  static void read(Batch& batch, int directory, FileReader& reader);
  std::optional<CachedEntry> save_special(const std::string& name, const struct stat& info);
  std::optional<CachedEntry> save_other_name(const std::string& name, const struct stat& info);
  void remember_names(const CachedEntry& entry, const std::string& name, const struct stat& info);
  Result<FreshEntry> finish_level();
  static void write_out_confirmed(Level& level);
  Result<ContentRef> put_listing(const Level& level);
  void cache_level(Level& level);
  void keep(FreshEntry fresh, const CachedEntry* cached);
  std::optional<CachedEntry> keep_last(const CachedEntry* cached, const std::string& name, std::string problem);
  std::optional<CachedEntry> last_known(const CachedEntry* cached, const std::string& name, EntryType type);
  static void add_to(model::Totals& totals, const TreeEntry& entry);
  void count(const struct stat& info);
  bool is_left_out(const struct stat& info) const;
  void add_problem(const std::string& path, const std::string& problem);
  std::string path_of(const std::string& name) const;

  const ChunkerParameters& parameters_;
  const Clock& clock_;
  const SaveRequest& request_;
  const StatCache* cache_;
  std::stop_token stop_;
  std::stop_source stopping_;  // of all that works for this save
  std::stop_callback<std::function<void()>> stop_too_;
  ChunkWriter& chunks_;
  FileReader reader_;  // of the calling thread
  IgnoreRules ignore_;
  std::vector<std::uint64_t> unchanged_;  // see unchanged_directories()
  std::optional<os::DirectoryStack> directories_;
  std::deque<Level> levels_;  // whose elements stay where they are: batches refer to what is in them
  std::string path_;          // of the top level, from the root
  std::map<std::pair<dev_t, ino_t>, HardLinked> hard_linked_;
  std::uint64_t files_seen_ = 0;
  std::uint64_t bytes_seen_ = 0;
  bool cache_failed_ = false;
  std::uint64_t last_block_ = 0;  // where cache_level put the last one
  SavedTree saved_;
  std::vector<std::unique_ptr<FileReader>> readers_;  // of the workers
  std::optional<WorkerPool> pool_;                    // none before there is enough to do; ends first
};

}  // namespace studio::content
