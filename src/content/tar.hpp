// Trees as POSIX.1-2001 pax archives: streamed, and the same tree gives the same bytes.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "content/file_content.hpp"
#include "content/tree.hpp"

namespace studio::content {

// Writes the archive of the tree, every name beginning with `prefix` and '/'. Owners are 0 and nameless; sockets are
// left out; holes are written as zeros. Memory is bounded, but for a digest of each file.
// `directory` gives mode and time of the first entry, which is `prefix` itself.
Result<void> export_tar(ChunkSource& source, const ContentRef& root, const std::string& prefix, const Sink& sink,
                        const TreeEntry& directory = {.type = EntryType::directory, .name = {}, .mode = 0755});

// Compresses a stream as one gzip member (RFC 1952) without name or time. finish() must be called at the end.
class GzipSink {
 public:
  explicit GzipSink(Sink sink);
  ~GzipSink();
  GzipSink(const GzipSink&) = delete;
  GzipSink& operator=(const GzipSink&) = delete;

  Result<void> write(ByteView bytes);
  Result<void> finish();

 private:
  Result<void> run(ByteView bytes, int flush);
  struct State;
  std::unique_ptr<State> state_;
  Sink sink_;
};

}  // namespace studio::content
