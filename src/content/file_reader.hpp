// Reads one file of a live directory into the store, never torn (doc/design.md, "Files that change while they are
// read").
#pragma once

#include <sys/stat.h>

#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "content/content_io.hpp"
#include "content/tree.hpp"
#include "os/fd.hpp"

namespace studio::content {

// The nanoseconds of st_mtim and st_ctim since 1970.
std::int64_t modified_ns(const struct stat& info);
std::int64_t changed_ns(const struct stat& info);

// Whether a write right after the moment `now` could leave the file's times as `info` has them: file systems stamp with
// a clock that ticks every few milliseconds (or seconds, where no time has a fraction). Only the change time is asked:
// each write sets it, and no program can set it to something else.
bool may_be_racy(const struct stat& info, WallTime now);

struct FileRead {
  enum class Outcome {
    complete,    // the content at one moment
    prefix,      // it only grew: `entry` holds its first bytes, as they were at one moment
    unstable,    // it was rewritten each time it was read; nothing to keep
    unreadable,  // `problem` says why
    gone,        // it is no longer there, or no longer a regular file
  };
  Outcome outcome = Outcome::complete;
  TreeEntry entry;  // complete and prefix: all but the name; mode and times as of the read; its problem if attributes
                    // are missing
  struct stat info {};  // of the read
  bool racy = false;
  std::string problem;
};

// Not thread-safe: owns one buffer.
class FileReader {
 public:
  // Lane and pool as for ContentWriter.
  FileReader(ChunkWriter& chunks, const ChunkerParameters& parameters, const Clock& clock, std::stop_token stop,
             std::size_t lane = 0, WorkerPool* pool = nullptr)
      : writer_(chunks, parameters, ChunkKind::data, lane, pool), clock_(clock), stop_(std::move(stop)) {}

  // The regular file `name` in `directory`, never through a symlink, never blocking on a FIFO that took its place.
  // Errors are those of the store, or `cancelled`; those of the file are an outcome.
  Result<FileRead> read(int directory, const std::string& name);

 private:
  struct Collected {
    ContentRef content;
    std::vector<Extent> holes;
    std::uint64_t size = 0;  // less than asked for if the file was cut
    struct stat after {};    // when the last byte had been read
  };
  Result<Collected> collect(const os::Fd& file, const struct stat& info, std::uint64_t size, const std::string& name);
  Result<FileRead> read_open(const os::Fd& file, const std::string& name);
  Result<struct stat> status_when_settled(const os::Fd& file, const std::string& name);

  ContentWriter writer_;
  const Clock& clock_;
  std::stop_token stop_;
  bool source_failed_ = false;  // the last error came from the file, not from the store
};

// Sets the extended attributes "user.*" of an open file or directory, sorted; none where the file system has none. The
// entry's problem says if some cannot be read, or if they are together longer than k_most_attributes: then none are
// kept.
void read_attributes(int file, TreeEntry& entry);
inline constexpr std::size_t k_most_attributes = 1 << 20;

}  // namespace studio::content
