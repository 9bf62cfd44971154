#include "analysis/byte_cursor.hpp"

#include <algorithm>

namespace studio::analysis {

namespace {
constexpr std::uint64_t k_buffer_size = 64 << 10;
}  // namespace

bool ByteCursor::fail(Error error) {
  if (!failure_) failure_ = std::move(error);
  return false;
}

bool ByteCursor::fill() {
  if (failure_) return false;
  if (at_ >= buffer_at_ && at_ - buffer_at_ < buffer_.size()) return true;
  if (is_at_end()) return fail({Code::corrupt, "the file is cut off"});
  auto bytes = file_.read(at_, std::min(k_buffer_size, file_.size() - at_));
  if (!bytes) return fail(std::move(bytes).error());
  buffer_ = std::move(*bytes);
  buffer_at_ = at_;
  return true;
}

bool ByteCursor::read(void* into, std::size_t size) {
  if (size > left_to_read_) return fail({Code::exhausted, "the head of the file is too long"});
  if (at_ > file_.size() || size > file_.size() - at_) return fail({Code::corrupt, "the file is cut off"});
  left_to_read_ -= size;
  for (auto* out = static_cast<std::byte*>(into); size > 0;) {
    if (!fill()) return false;
    const std::size_t begin = at_ - buffer_at_;
    const std::size_t length = std::min(size, buffer_.size() - begin);
    std::memcpy(out, buffer_.data() + begin, length);
    out += length;
    at_ += length;
    size -= length;
  }
  return true;
}

bool ByteCursor::varint(std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    std::uint8_t byte = 0;
    if (!number(byte)) return false;
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return fail({Code::corrupt, "the file has a wrong number"});
}

bool ByteCursor::text(std::uint64_t size, std::string& text) {
  // Before room is made for it.
  if (size > left_to_read_ || size > file_.size() - std::min(at_, file_.size())) return read(nullptr, size);
  text.resize(size);
  return read(text.data(), size);
}

bool ByteCursor::line(std::string& text) {
  text.clear();
  for (char c = 0; number(c);) {
    if (c == '\n') return true;
    text.push_back(c);
  }
  return false;
}

bool ByteCursor::skip(std::uint64_t size) {
  if (failure_) return false;
  if (at_ > file_.size() || size > file_.size() - at_) return fail({Code::corrupt, "the file is cut off"});
  at_ += size;
  return true;
}

}  // namespace studio::analysis
