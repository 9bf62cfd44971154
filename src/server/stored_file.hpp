// A file of a version, to be looked at.
#pragma once

#include "analysis/byte_source.hpp"
#include "content/file_content.hpp"

namespace studio::server {

// Borrows both.
class StoredFile : public analysis::ByteSource {
 public:
  StoredFile(content::ChunkSource& chunks, const content::TreeEntry& file) : chunks_(chunks), file_(file) {}
  using ByteSource::read;
  std::uint64_t size() const override { return file_.size; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
    return content::write_file_range(chunks_, file_, offset, into.size(), [&](ByteView piece) -> Result<void> {
      std::ranges::copy(piece, into.begin());
      into = into.subspan(piece.size());
      return {};
    });
  }

 private:
  content::ChunkSource& chunks_;
  const content::TreeEntry& file_;
};

}  // namespace studio::server
