// What a capture remembers of the files it read, so that the next one reads only what changed (doc/format.md, "Stat
// cache").
//
// A cache describes the tree of one version, or one that differs from it in modification times only. It may be used
// only while that version is in the store: as long as it is, the content of every file that the cache names is there
// too.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/codec.hpp"
#include "base/result.hpp"
#include "content/tree.hpp"
#include "os/fd.hpp"

namespace studio::content {

struct CachedEntry {
  std::uint64_t inode = 0;
  std::int64_t changed_ns = 0;  // ctime
  bool racy = false;            // may have been written after it was read without its times showing it: read it again
  std::uint64_t block = 0;      // directory: where its own entries are; 0: nowhere
  TreeEntry entry;
  friend bool operator==(const CachedEntry&, const CachedEntry&) = default;
};

// Not in one piece: to make that longer takes as much memory again, which for a directory of many names is much.
using CachedEntries = std::deque<CachedEntry>;

// The head of an entry; the entry as in a listing (append_entry) follows.
void append_cached_head(ByteWriter& out, const CachedEntry& cached);
// Both. Nothing if they are malformed.
std::optional<CachedEntry> read_cached(ByteReader& in);

// Whether a file is what the cache has of it, by its stat alone.
bool is_unchanged_file(const CachedEntry& cached, const struct stat& info);
// The same of a directory itself; it says nothing of what is in it.
bool is_unchanged_directory(const CachedEntry& cached, const struct stat& info);
// Whether both have the same inode, times, size and mode.
bool has_stamps_of(const CachedEntry& cached, const struct stat& info);

// Which tree a cache is of.
struct CacheIdentity {
  std::string store;    // the store's id
  std::string source;   // absolute path that was captured
  std::string version;  // object key of the version's manifest
  Digest root;          // of the version's tree: a copy of the store may go on to other versions of the same names
  std::uint64_t suspects = 0;  // of the store when the capture began: damage that is found later voids the cache
  friend bool operator==(const CacheIdentity&, const CacheIdentity&) = default;
};

// A cache file, read block by block. Damage is never an error: what cannot be read is as if it were not there.
// Immutable, thread-safe.
class StatCache {
 public:
  static std::optional<StatCache> open(const std::string& path);

  const CacheIdentity& identity() const { return identity_; }
  std::uint64_t root() const { return root_; }
  std::uint64_t size() const { return size_; }  // bytes
  // The entries of one directory in byte order of their names. False if the block is damaged: then some may be missing.
  bool visit(std::uint64_t block, const std::function<void(CachedEntry&)>& visitor) const;
  // The same; nothing if the block is damaged.
  std::optional<CachedEntries> block(std::uint64_t offset) const;

 private:
  StatCache() = default;
  std::optional<Bytes> read(std::uint64_t offset, std::uint64_t size) const;

  os::Fd fd_;
  std::uint64_t size_ = 0;
  CacheIdentity identity_;
  std::uint64_t root_ = 0;
};

// A cache in the making: a temporary file beside its place. Dropped unless published. Not thread-safe.
class StatCacheDraft {
 public:
  static Result<std::unique_ptr<StatCacheDraft>> create(const std::string& path);
  StatCacheDraft(const StatCacheDraft&) = delete;
  StatCacheDraft& operator=(const StatCacheDraft&) = delete;
  ~StatCacheDraft();

  // The entries of one directory, one after the other in byte order of their names; end_block() returns the block's
  // offset. Directories come after what is in them: a block that names one behind it counts as damaged.
  void append(const CachedEntry& entry);
  void append(ByteView coded) { block_.raw(coded); }
  Result<std::uint64_t> end_block();
  Result<std::uint64_t> add(const CachedEntries& entries);  // a whole block
  // A directory that did not change, with everything below it; of damaged blocks nothing. Returns 0 if its own is
  // damaged.
  Result<std::uint64_t> copy(const StatCache& from, std::uint64_t block);
  void set_root(std::uint64_t root) { root_ = root; }
  // Puts the file in its place. Not durable on purpose: a lost cache costs a capture's time, nothing else.
  Result<void> publish(const CacheIdentity& identity);

 private:
  StatCacheDraft(std::string path, std::string temporary, os::Fd fd);
  Result<void> flush();

  std::string path_;
  std::string temporary_;
  os::Fd fd_;
  ByteWriter block_;  // its entries so far
  ByteWriter buffer_;
  std::uint64_t written_ = 0;
  std::uint64_t root_ = 0;
};

}  // namespace studio::content
