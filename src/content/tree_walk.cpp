#include "content/tree_walk.hpp"

#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::content {

TreeWalk::TreeWalk(ChunkSource& source, const ContentRef& root) : source_(source) {
  levels_.push_back({TreeReader(source, root), {}, 0});
}

void TreeWalk::skip() { entering_.reset(); }

Result<std::optional<TreeWalk::Event>> TreeWalk::next() {
  if (entering_) {
    TreeReader reader(source_, entering_->content);
    levels_.push_back({std::move(reader), std::move(*entering_), path_.size()});
    entering_.reset();
  }
  if (levels_.empty()) return std::optional<Event>();
  Level& level = levels_.back();
  path_.resize(level.path_length);
  TRY_ASSIGN(auto entry, level.reader.next());
  if (!entry) {
    Event event{Event::Kind::leave, std::move(level.directory), path_};
    levels_.pop_back();
    if (levels_.empty()) return std::optional<Event>();
    return std::optional<Event>(std::move(event));
  }
  if (!path_.empty()) path_ += '/';
  path_ += entry->name;
  if (entry->type == EntryType::directory) entering_ = *entry;
  return std::optional<Event>(Event{Event::Kind::entry, std::move(*entry), path_});
}

Result<TreeEntry> find_entry(ChunkSource& source, const ContentRef& root, std::string_view path) {
  const Error missing{Code::not_found, concat("there is no '", printable(path), "'")};
  TreeEntry at{.type = EntryType::directory, .name = {}, .content = root};
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path = slash == path.npos ? std::string_view() : path.substr(slash + 1);
    if (name.empty() || name == ".") continue;
    if (at.type != EntryType::directory) return missing;
    TreeReader reader(source, at.content);
    std::optional<TreeEntry> found;
    do {
      TRY_ASSIGN(found, reader.next());
    } while (found && found->name < name);
    if (!found || found->name != name) return missing;
    at = std::move(*found);
  }
  return at;
}

Result<TreeEntry> resolve_hard_link(ChunkSource& source, const ContentRef& root, TreeEntry entry) {
  if (entry.type != EntryType::hard_link) return entry;
  TRY_ASSIGN(TreeEntry file, find_entry(source, root, entry.target));
  file.name = std::move(entry.name);
  return file;
}

}  // namespace studio::content
