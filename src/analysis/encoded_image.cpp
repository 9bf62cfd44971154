#include "analysis/encoded_image.hpp"

namespace studio::analysis {

namespace {

std::uint32_t byte_at(ByteView bytes, std::size_t at) { return std::to_integer<std::uint32_t>(bytes[at]); }
std::uint32_t big_endian_16(ByteView bytes, std::size_t at) { return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1); }
std::uint32_t big_endian_32(ByteView bytes, std::size_t at) {
  return big_endian_16(bytes, at) << 16 | big_endian_16(bytes, at + 2);
}
std::uint32_t little_endian_16(ByteView bytes, std::size_t at) {
  return byte_at(bytes, at) | byte_at(bytes, at + 1) << 8;
}

// Segments, each with a marker and its length, up to the frame header.
std::optional<EncodedImage> recognise_jpeg(ByteView bytes) {
  for (std::size_t at = 2; at + 9 <= bytes.size() && byte_at(bytes, at) == 0xff;) {
    const std::uint32_t marker = byte_at(bytes, at + 1);
    if (marker == 0xff) {  // fill
      ++at;
      continue;
    }
    const bool is_frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (is_frame) return EncodedImage{"image/jpeg", big_endian_16(bytes, at + 7), big_endian_16(bytes, at + 5)};
    at += 2 + big_endian_16(bytes, at + 2);
  }
  return std::nullopt;
}

}  // namespace

std::optional<EncodedImage> recognise_image(ByteView bytes) {
  const std::string_view text = as_text(bytes);
  if (text.starts_with("\x89PNG\r\n\x1a\n") && text.size() >= 24 && text.substr(12, 4) == "IHDR")
    return EncodedImage{"image/png", big_endian_32(bytes, 16), big_endian_32(bytes, 20)};
  if ((text.starts_with("GIF87a") || text.starts_with("GIF89a")) && text.size() >= 10)
    return EncodedImage{"image/gif", little_endian_16(bytes, 6), little_endian_16(bytes, 8)};
  if (text.starts_with("\xff\xd8\xff")) return recognise_jpeg(bytes);
  return std::nullopt;
}

}  // namespace studio::analysis
