// Which files a walk of a tree has passed: whether a hard link may become a second name of the one that it refers to.
#pragma once

#include <string_view>
#include <unordered_set>

#include "base/digest.hpp"
#include "content/tree.hpp"

namespace studio::content {

// Keeps a digest of each file.
class SeenFiles {
 public:
  void add(std::string_view path, const TreeEntry& file) { seen_.insert(digest_of(path, file)); }
  // Whether the name that the link refers to was passed, and holds the same bytes of the same time.
  bool hold_target_of(const TreeEntry& link) const { return seen_.contains(digest_of(link.target, link)); }

 private:
  static Digest digest_of(std::string_view path, const TreeEntry& file);

  std::unordered_set<Digest, DigestHash> seen_;
};

}  // namespace studio::content
