#include "cli/file_line.hpp"

#include <sys/stat.h>

#include <chrono>

#include "base/clock.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/format.hpp"

namespace studio::cli {

namespace {

using content::EntryType;
using content::TreeEntry;

constexpr std::size_t k_size_width = 10;  // "1023.9 MiB"

WallTime time_of(const TreeEntry& entry) { return WallTime(std::chrono::nanoseconds(entry.modified_ns)); }

char type_letter(EntryType type) {
  switch (type) {
    case EntryType::file:
    case EntryType::hard_link: return '-';
    case EntryType::directory: return 'd';
    case EntryType::symlink: return 'l';
    case EntryType::fifo: return 'p';
    case EntryType::socket: return 's';
    case EntryType::char_device: return 'c';
    case EntryType::block_device: return 'b';
  }
  return '?';
}

}  // namespace

std::string file_line(const view::ListedFile& file, bool shows_path, bool escaped) {
  const TreeEntry& entry = file.entry;
  const auto shown = [escaped](const std::string& name) { return escaped ? printable(name) : name; };
  const std::string size = entry.type == EntryType::file ? format_size(entry.size) : "-";
  std::string line =
      concat(mode_text(entry), "  ", std::string(k_size_width - std::min(k_size_width, size.size()), ' '), size, "  ",
             format_minute(time_of(entry)), "  ", shown(shows_path ? file.path : entry.name));
  if (entry.type == EntryType::symlink) line += concat(" -> ", shown(entry.target));
  if (!entry.problem.empty()) line += concat("  (", printable(entry.problem), ")");
  return line + "\n";
}

std::string mode_text(const TreeEntry& entry) {
  const std::uint32_t mode = entry.mode;
  std::string text(1, type_letter(entry.type));
  for (const int shift : {6, 3, 0}) {
    text += (mode >> shift & 4u) != 0 ? 'r' : '-';
    text += (mode >> shift & 2u) != 0 ? 'w' : '-';
    text += (mode >> shift & 1u) != 0 ? 'x' : '-';
  }
  // As ls shows them, upper case where there is no execute permission below.
  if ((mode & S_ISUID) != 0) text[3] = text[3] == 'x' ? 's' : 'S';
  if ((mode & S_ISGID) != 0) text[6] = text[6] == 'x' ? 's' : 'S';
  if ((mode & S_ISVTX) != 0) text[9] = text[9] == 'x' ? 't' : 'T';
  return text;
}

}  // namespace studio::cli
