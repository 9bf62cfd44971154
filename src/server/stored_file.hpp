// A file of a version, to be looked at.
#pragma once

#include <algorithm>
#include <optional>

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
    auto done = content::write_file_range(chunks_, file_, offset, into.size(), [&](ByteView piece) -> Result<void> {
      std::ranges::copy(piece, into.begin());
      into = into.subspan(piece.size());
      return {};
    });
    if (!done) failure_ = done.error();
    return done;
  }

  // Why the store did not give a part of the file: what a reader then says of the file is of no worth.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  content::ChunkSource& chunks_;
  const content::TreeEntry& file_;
  std::optional<Error> failure_;
};

}  // namespace studio::server
