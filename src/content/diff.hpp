// What differs between two trees.
#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "content/tree.hpp"

namespace studio::content {

enum class ChangeKind { added, removed, modified, mode };
std::string_view name_of(ChangeKind change);

struct Difference {
  std::string path;
  ChangeKind change = ChangeKind::modified;
  const TreeEntry* before = nullptr;  // null: added
  const TreeEntry* after = nullptr;   // null: removed
};

// Whether two entries of one name are the same to a user: modification times and what lies inside directories do not
// count.
bool same_entry(const TreeEntry& before, const TreeEntry& after);

// Calls `visit` for each difference in walk order; an added or removed directory is followed by everything in it. Equal
// directories are not read. Bounded memory.
Result<void> diff_trees(ChunkSource& source, const ContentRef& before, const ContentRef& after,
                        const std::function<Result<void>(const Difference&)>& visit);

}  // namespace studio::content
