#include "content/diff.hpp"

#include <memory>
#include <optional>
#include <vector>

#include "base/concat.hpp"
#include "content/tree_walk.hpp"

namespace studio::content {

namespace {

struct Level {
  TreeReader before;
  TreeReader after;
  std::string path;
  std::optional<TreeEntry> old_entry = {};
  std::optional<TreeEntry> new_entry = {};
  bool take_old = true;
  bool take_new = true;
};

std::string join(const std::string& path, const std::string& name) {
  return path.empty() ? name : concat(path, "/", name);
}

ChangeKind kind_of(const TreeEntry& before, const TreeEntry& after) {
  TreeEntry same_mode = before;
  same_mode.mode = after.mode;
  return same_entry(same_mode, after) ? ChangeKind::mode : ChangeKind::modified;
}

using Visit = std::function<Result<void>(const Difference&)>;

// What is on one side only.
Result<void> visit_one(const std::string& path, const TreeEntry& entry, ChangeKind change, const Visit& visit) {
  return change == ChangeKind::added ? visit({path, change, nullptr, &entry}) : visit({path, change, &entry, nullptr});
}

// All below a directory that is on one side only.
Result<void> visit_below(ChunkSource& source, const std::string& path, const TreeEntry& directory, ChangeKind change,
                         const Visit& visit) {
  TreeWalk walk(source, directory.content);
  while (true) {
    TRY_ASSIGN(const auto event, walk.next());
    if (!event) return {};
    if (event->kind == TreeWalk::Event::Kind::entry)
      TRY(visit_one(join(path, event->path), event->entry, change, visit));
  }
}

Result<void> visit_whole(ChunkSource& source, const std::string& path, const TreeEntry& entry, ChangeKind change,
                         const Visit& visit) {
  TRY(visit_one(path, entry, change, visit));
  return entry.type == EntryType::directory ? visit_below(source, path, entry, change, visit) : Result<void>();
}

}  // namespace

std::string_view name_of(ChangeKind change) {
  switch (change) {
    case ChangeKind::added: return "added";
    case ChangeKind::removed: return "removed";
    case ChangeKind::modified: return "modified";
    case ChangeKind::mode: return "mode";
  }
  return "modified";
}

bool same_entry(const TreeEntry& before, const TreeEntry& after) {
  if (before == after) return true;
  TreeEntry a = before;
  TreeEntry b = after;
  for (TreeEntry* entry : {&a, &b}) {
    entry->modified_ns = 0;
    if (entry->type == EntryType::directory) {
      entry->content = {};
      entry->totals = {};
    }
  }
  return a == b;
}

Result<void> diff_trees(ChunkSource& source, const ContentRef& before, const ContentRef& after, const Visit& visit) {
  if (before == after) return {};
  std::vector<std::unique_ptr<Level>> levels;
  const auto enter = [&](const ContentRef& a, const ContentRef& b, std::string path) {
    levels.push_back(std::make_unique<Level>(Level{TreeReader(source, a), TreeReader(source, b), std::move(path)}));
  };
  enter(before, after, "");
  while (!levels.empty()) {
    Level& level = *levels.back();
    if (level.take_old) {
      TRY_ASSIGN(level.old_entry, level.before.next());
    }
    if (level.take_new) {
      TRY_ASSIGN(level.new_entry, level.after.next());
    }
    const auto& a = level.old_entry;
    const auto& b = level.new_entry;
    if (!a && !b) {
      levels.pop_back();
      continue;
    }
    level.take_old = a && (!b || a->name <= b->name);
    level.take_new = b && (!a || b->name <= a->name);
    const std::string path = join(level.path, level.take_old ? a->name : b->name);
    if (!level.take_new) {
      TRY(visit_whole(source, path, *a, ChangeKind::removed, visit));
    } else if (!level.take_old) {
      TRY(visit_whole(source, path, *b, ChangeKind::added, visit));
    } else {
      if (!same_entry(*a, *b)) TRY(visit({path, kind_of(*a, *b), &*a, &*b}));
      const bool a_directory = a->type == EntryType::directory;
      const bool b_directory = b->type == EntryType::directory;
      if (a_directory && b_directory) {
        if (a->content != b->content) enter(a->content, b->content, path);
      } else if (a_directory || b_directory) {
        // A file took the place of a directory, or the other way round: what was inside comes or goes with it.
        TRY(a_directory ? visit_below(source, path, *a, ChangeKind::removed, visit)
                        : visit_below(source, path, *b, ChangeKind::added, visit));
      }
    }
  }
  return {};
}

}  // namespace studio::content
