#include "cli/file_list.hpp"

#include <sys/stat.h>

#include <array>
#include <chrono>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/concat.hpp"
#include "base/digest.hpp"
#include "base/display.hpp"
#include "cli/format.hpp"
#include "content/tree_walk.hpp"

namespace studio::cli {

namespace {

using content::EntryType;
using content::TreeEntry;
using nlohmann::ordered_json;

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

Result<void> list_files(content::ChunkSource& chunks, const ListRequest& request,
                        const std::function<Result<void>(const ListedFile&)>& visit) {
  if (request.entry.type != EntryType::directory) {
    TRY_ASSIGN(TreeEntry entry, content::resolve_hard_link(chunks, request.root, request.entry));
    return visit({request.path, std::move(entry)});
  }
  content::TreeWalk walk(chunks, request.entry.content);
  while (true) {
    TRY_ASSIGN(auto event, walk.next());
    if (!event) return {};
    if (event->kind != content::TreeWalk::Event::Kind::entry) continue;
    if (!request.recursive && event->entry.type == EntryType::directory) walk.skip();
    TRY_ASSIGN(TreeEntry entry, content::resolve_hard_link(chunks, request.root, std::move(event->entry)));
    TRY(visit({request.path.empty() ? event->path : concat(request.path, "/", event->path), std::move(entry)}));
  }
}

ordered_json file_json(const ListedFile& file) {
  const TreeEntry& entry = file.entry;
  std::array<char, 8> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", entry.mode & 07777u);
  ordered_json json{{"name", to_utf8(entry.name)},
                    {"path", to_utf8(file.path)},
                    {"type", content::name_of(entry.type)},
                    {"mode", mode.data()}};
  json["size"] = entry.type == EntryType::file ? ordered_json(entry.size) : ordered_json();
  json["modified"] = format_time(time_of(entry));
  json["target"] = entry.type == EntryType::symlink ? ordered_json(to_utf8(entry.target)) : ordered_json();
  if (!valid_utf8(entry.name)) json["name_hex"] = hex(as_bytes(entry.name));
  return json;
}

std::string file_line(const ListedFile& file, bool shows_path, bool escaped) {
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
