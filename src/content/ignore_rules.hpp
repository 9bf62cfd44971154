// The patterns of a .studioml_ignore file, in the syntax of gitignore(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace studio::content {

inline constexpr std::string_view k_ignore_file = ".studioml_ignore";

// Immutable once made, thread-safe.
class IgnoreRules {
 public:
  IgnoreRules() = default;
  explicit IgnoreRules(std::string_view text);

  bool empty() const { return rules_.empty(); }
  // Whether the entry at `path` (from the root, without leading slash) is left out. The last pattern that matches
  // decides. What lies in a directory that is left out is not asked for.
  bool ignores(std::string_view path, bool is_directory) const;

 private:
  struct Rule {
    std::string pattern;
    bool negated = false;
    bool directories_only = false;
    bool anchored = false;  // matched against the whole path, otherwise against the last component
  };
  std::vector<Rule> rules_;
};

// Shell pattern match of the whole path with '*', '?', '[…]' that never match '/', '\' as an escape, and "**" as a
// whole component. A pattern that is malformed matches nothing. No locale is asked: bytes are compared.
bool matches_pattern(std::string_view pattern, std::string_view path);

}  // namespace studio::content
