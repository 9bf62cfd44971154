// Trees as POSIX.1-2001 pax archives: streamed, and the same tree gives the same bytes.
#pragma once

#include <string>

#include "base/result.hpp"
#include "content/file_content.hpp"
#include "content/tree.hpp"

namespace studio::content {

// Writes the archive of the tree, every name beginning with `prefix` and '/'. Owners are 0 and nameless; sockets are
// left out; holes are written as zeros. Memory is bounded, but for a digest of each file.
// `directory` gives mode and time of the first entry, which is `prefix` itself.
Result<void> export_tar(ChunkSource& source, const ContentRef& root, const std::string& prefix, const Sink& sink,
                        const TreeEntry& directory = {.type = EntryType::directory, .name = {}, .mode = 0755});

}  // namespace studio::content
