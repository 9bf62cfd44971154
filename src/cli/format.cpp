#include "cli/format.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "base/concat.hpp"
#include "base/duration.hpp"

namespace studio::cli {

namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// The broad blocks of Unicode's East Asian Width "W" and "F", and of marks that join the letter before them. Names that
// mix in others are off by a column, no more.
constexpr std::array<Range, 10> k_wide{{{0x1100, 0x115f},
                                        {0x2e80, 0x303e},
                                        {0x3041, 0x33ff},
                                        {0x3400, 0x4dbf},
                                        {0x4e00, 0x9fff},
                                        {0xa000, 0xa4cf},
                                        {0xac00, 0xd7a3},
                                        {0xf900, 0xfaff},
                                        {0xff00, 0xff60},
                                        {0x1f300, 0x1faff}}};
constexpr std::array<Range, 4> k_joining{{{0x0300, 0x036f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}}};

template <std::size_t Size>
bool is_in(std::uint32_t character, const std::array<Range, Size>& ranges) {
  for (const Range& range : ranges)
    if (character >= range.first && character <= range.last) return true;
  return false;
}

std::size_t columns_of(std::uint32_t character) {
  if (is_in(character, k_joining)) return 0;
  return is_in(character, k_wide) ? 2 : 1;
}

// Takes one character off the front. Only its length and an approximate value matter, so that malformed text needs no
// care.
std::string_view take_character(std::string_view& text, std::uint32_t& value) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const std::string_view character = text.substr(0, length);
  value = length == 1 ? lead : lead & (0x7fu >> length);
  for (const char c : character.substr(1)) value = (value << 6) | (static_cast<unsigned char>(c) & 0x3fu);
  text.remove_prefix(character.size());
  return character;
}

}  // namespace

std::string format_size(std::uint64_t bytes) {
  static constexpr std::array<const char*, 6> k_units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return concat(bytes, " B");
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 would be shown as "1024.0".
  for (; value >= 1023.95 && unit + 1 < k_units.size(); ++unit) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, k_units[unit]);
  return text.data();
}

std::string format_minute(WallTime time) {
  std::string text = format_time(time).substr(0, std::string_view("2026-11-24T05:30").size());
  text[10] = ' ';
  return text;
}

std::string format_seconds(double seconds) {
  if (seconds < 9.95) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1fs", std::max(seconds, 0.0));
    return text.data();
  }
  const auto rounded = std::chrono::seconds(std::llround(std::min(seconds, 1e12)));
  if (rounded < std::chrono::hours(1)) return format_duration(rounded);
  return format_duration(std::chrono::round<std::chrono::minutes>(rounded));
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return concat(count, " ", noun, count == 1 ? "" : "s");
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::uint32_t value = 0; !text.empty(); width += columns_of(value)) take_character(text, value);
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  std::string cut;
  std::size_t used = 1;  // the "…"
  while (!text.empty()) {
    std::uint32_t value = 0;
    const std::string_view character = take_character(text, value);
    used += columns_of(value);
    if (used > width) break;
    cut += character;
  }
  return width == 0 ? "" : cut + "…";
}

}  // namespace studio::cli
