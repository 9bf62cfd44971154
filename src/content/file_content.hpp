// The bytes of a file as its entry describes them: data and holes in order.
#pragma once

#include <cstdint>
#include <functional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "content/tree.hpp"

namespace studio::content {

using Sink = std::function<Result<void>(ByteView)>;

struct FileVisitor {
  std::function<Result<void>(std::uint64_t offset, ByteView data)> data;
  std::function<Result<void>(const Extent& hole)> hole;
};

// Verified data in pieces, each hole once, from front to back; `corrupt` if they do not add up to the size.
Result<void> visit_file(ChunkSource& source, const TreeEntry& file, const FileVisitor& visitor);

// Where a piece of the content, from byte `begin` of it, lies in the file.
Result<void> visit_data(const TreeEntry& file, std::uint64_t begin, ByteView piece,
                        const std::function<Result<void>(std::uint64_t offset, ByteView data)>& visit);

// All of it, holes as zeros.
Result<void> write_file_content(ChunkSource& source, const TreeEntry& file, const Sink& sink);
// `length` bytes of it from `offset` on, which must lie within its size.
Result<void> write_file_range(ChunkSource& source, const TreeEntry& file, std::uint64_t offset, std::uint64_t length,
                              const Sink& sink);
Result<void> write_zeros(std::uint64_t count, const Sink& sink);

}  // namespace studio::content
