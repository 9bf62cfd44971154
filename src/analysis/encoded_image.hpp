// What an encoded image is, told by its first bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"

namespace studio::analysis {

struct EncodedImage {
  std::string_view media_type;  // "image/png", "image/jpeg" or "image/gif"
  std::uint32_t width = 0;      // pixels, as the image claims
  std::uint32_t height = 0;
};

// PNG (ISO/IEC 15948, 5 and 11.2.2), JPEG (ITU-T T.81, B.1 and B.2.2) or GIF (GIF89a, 17 and 18). Nothing if it is
// none of these, or its head is cut off.
std::optional<EncodedImage> recognise_image(ByteView bytes);

}  // namespace studio::analysis
