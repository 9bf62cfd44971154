#include "view/file_list.hpp"

#include <array>
#include <chrono>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/concat.hpp"
#include "base/digest.hpp"
#include "base/display.hpp"
#include "content/tree_walk.hpp"

namespace studio::view {

using content::EntryType;
using content::TreeEntry;
using nlohmann::ordered_json;

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
  json["modified"] = format_time(WallTime(std::chrono::nanoseconds(entry.modified_ns)));
  json["target"] = entry.type == EntryType::symlink ? ordered_json(to_utf8(entry.target)) : ordered_json();
  if (!valid_utf8(entry.name)) json["name_hex"] = hex(as_bytes(entry.name));
  return json;
}

}  // namespace studio::view
