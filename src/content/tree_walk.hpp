// Everything below the root of a tree, depth first, in byte order of the names: bounded memory however deep or wide.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "content/tree.hpp"

namespace studio::content {

class TreeWalk {
 public:
  TreeWalk(ChunkSource& source, const ContentRef& root);

  struct Event {
    enum class Kind { entry, leave };  // leave: the directory whose entry came before is done
    Kind kind = Kind::entry;
    TreeEntry entry;
    std::string path;  // from the root, '/' between components
  };
  // Nothing when the walk is done. After a directory's entry its children follow, then its leave.
  Result<std::optional<Event>> next();
  // After the entry of a directory: its children and its leave are left out.
  void skip();

 private:
  struct Level {
    TreeReader reader;
    TreeEntry directory;  // empty for the root
    std::size_t path_length;
  };
  ChunkSource& source_;
  std::vector<Level> levels_;
  std::optional<TreeEntry> entering_;
  std::string path_;
};

// The entry at `path` ("" is the root, given as a directory); `not_found` if there is none.
Result<TreeEntry> find_entry(ChunkSource& source, const ContentRef& root, std::string_view path);

// Of a further name of a file, the entry of its first name, which holds what it is, under the further one; any other
// entry as it stands.
Result<TreeEntry> resolve_hard_link(ChunkSource& source, const ContentRef& root, TreeEntry entry);

}  // namespace studio::content
