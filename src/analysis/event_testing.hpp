// Event files made for tests.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "analysis/crc32c.hpp"
#include "base/codec.hpp"

namespace studio::analysis::testing {

// A message in the making.
class Message {
 public:
  Message& varint(std::uint32_t field, std::uint64_t value) {
    out_.varint(std::uint64_t{field} << 3);
    out_.varint(value);
    return *this;
  }
  Message& real(std::uint32_t field, double value) {
    out_.varint(std::uint64_t{field} << 3 | 1);
    out_.u64(std::bit_cast<std::uint64_t>(value));
    return *this;
  }
  Message& real32(std::uint32_t field, float value) {
    out_.varint(std::uint64_t{field} << 3 | 5);
    out_.u32(std::bit_cast<std::uint32_t>(value));
    return *this;
  }
  Message& bytes(std::uint32_t field, std::string_view value) {
    out_.varint(std::uint64_t{field} << 3 | 2);
    out_.sized(value);
    return *this;
  }
  Message& message(std::uint32_t field, const Message& value) { return bytes(field, value.text()); }
  std::string text() const { return std::string(as_text(out_.view())); }
  ByteView view() const { return out_.view(); }

 private:
  ByteWriter out_;
};

inline std::string record(std::string_view data) {
  ByteWriter out;
  ByteWriter length;
  length.u64(data.size());
  out.raw(length.view());
  out.u32(masked_crc32c(length.view()));
  out.raw(data);
  out.u32(masked_crc32c(as_bytes(data)));
  return std::string(as_text(out.view()));
}

inline Message event(std::uint64_t step, const Message& value) {
  return Message().real(1, 1.5e9).varint(2, step).message(5, Message().message(1, value));
}

inline Message scalar(std::string_view tag, float value) { return Message().bytes(1, tag).real32(2, value); }

}  // namespace studio::analysis::testing
