// Goes through a file from front to back, through a buffer, and keeps to a bound on what it reads.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "analysis/byte_source.hpp"

namespace studio::analysis {

// Borrows the file. Numbers are little-endian. What cannot be read returns false, sets failure() and ends all:
// `corrupt` at the end of the file, `exhausted` beyond the bound; or the file's own error.
class ByteCursor {
 public:
  // Reads at most `most` bytes; what is skipped does not count.
  ByteCursor(ByteSource& file, std::uint64_t offset, std::uint64_t most)
      : file_(file), at_(offset), left_to_read_(most) {}

  template <class Integer>
  bool number(Integer& value) {
    return read(&value, sizeof value);
  }
  bool varint(std::uint64_t& value);  // protobuf.dev, "Encoding"
  bool text(std::uint64_t size, std::string& text);
  bool line(std::string& text);  // without its end
  bool skip(std::uint64_t size);

  std::uint64_t position() const { return at_; }
  bool is_at_end() const { return at_ >= file_.size(); }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  bool fail(Error error);
  bool read(void* into, std::size_t size);
  bool fill();  // so that the buffer has what is at at_

  ByteSource& file_;
  std::uint64_t at_;
  std::uint64_t left_to_read_;
  Bytes buffer_;
  std::uint64_t buffer_at_ = 0;
  std::optional<Error> failure_;
};

}  // namespace studio::analysis
