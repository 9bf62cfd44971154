// A file to be looked at, wherever it lies: any part of it can be read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace studio::analysis {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  // Fills `into`, which must lie within the size. Errors are those of what holds the bytes.
  virtual Result<void> read(std::uint64_t offset, std::span<std::byte> into) = 0;

  // `corrupt` if that reaches beyond the end.
  Result<Bytes> read(std::uint64_t offset, std::uint64_t length) {
    if (offset > size() || length > size() - offset) return Error{Code::corrupt, "the file is cut off"};
    Bytes bytes(length);
    TRY(read(offset, std::span(bytes)));
    return bytes;
  }
};

// Bytes in memory, which it borrows.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(ByteView bytes) : bytes_(bytes) {}
  using ByteSource::read;
  std::uint64_t size() const override { return bytes_.size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return {};
  }

 private:
  ByteView bytes_;
};

}  // namespace studio::analysis
