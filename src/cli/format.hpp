// Numbers and times as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace studio::cli {

// "0 B", "999 B", "1.2 MiB"
std::string format_size(std::uint64_t bytes);

// "2026-11-24 05:30": UTC, which the heading of a column says.
std::string format_minute(WallTime time);

// "0.3s", "42s", "1m5s", "2h3m"
std::string format_seconds(double seconds);

// "1 file", "3 files"
std::string counted(std::uint64_t count, std::string_view noun);

// Columns that a text of UTF-8 takes on a terminal.
std::size_t display_width(std::string_view text);
// The text cut to at most `width` columns, the last of them "…" if it was cut.
std::string cut_to_width(std::string_view text, std::size_t width);

}  // namespace studio::cli
