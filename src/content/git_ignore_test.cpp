// The ignore rules against git itself: random patterns over a tree of awkward names.
#include <cstdio>
#include <cstdlib>
#include <set>

#include "content/content_testing.hpp"
#include "content/ignore_rules.hpp"

namespace studio::content {
namespace {

constexpr int k_rounds = 50;

std::string random_pattern(Random& random) {
  static constexpr std::string_view k_parts[] = {
      "a",    "b",    "ab",  "a.b",         "*", "*", "?",   "**", "/", "/",   "**/", "/**", ".",  "\\",    "[ab]",
      "[!a]", "[^b]", "[a-", "[[:alpha:]]", "]", " ", "\\ ", "#",  "!", "\\!", "\\#", "c",   "\t", "[]-a]", "[\\]]"};
  std::string pattern = random.below(5) == 0 ? "!" : "";
  for (std::uint64_t i = random.below(5) + 1; i > 0; --i) pattern += k_parts[random.below(std::size(k_parts))];
  return pattern;
}

struct Tree {
  std::set<std::string> directories;
  std::set<std::string> files;
};

Tree awkward_tree() {
  Tree tree;
  const std::vector<std::string> names{"a",  "b",   "ab",   "a.b", "a b", "c",        "#c",
                                       "!b", "a\\", "[ab]", "]",   "a ",  "\xc3\xa9", "*"};
  for (const std::string& name : names) tree.files.insert(name + "f");
  for (const char* const directory : {"a", "b", "ab", "a b", "c", "a/b", "a/c", "b/a", "a/b/a", "c/ab", "a/b/a/b"}) {
    tree.directories.insert(directory);
    for (std::size_t i = 0; i < names.size(); i += 3) tree.files.insert(concat(directory, "/", names[i], "f"));
    for (const char* const name : {"a.b", "c", "]"})
      if (!tree.directories.contains(concat(directory, "/", name)))
        tree.files.insert(concat(directory, "/", name, "."));
  }
  return tree;
}

// As a walk finds out: what lies in a directory that is left out is left out.
bool is_ignored(const IgnoreRules& rules, const Tree& tree, const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1))
    if (rules.ignores(path.substr(0, slash), true)) return true;
  return rules.ignores(path, tree.directories.contains(path));
}

std::set<std::string> ignored_by_git(const test::ScratchDirectory& scratch, const std::string& paths) {
  write_text(scratch / "paths", paths);
  const std::string root = scratch / "tree";
  const std::string environment =
      concat("HOME='", scratch.path(), "' GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null ");
  const std::string command =
      concat("cd '", root, "' && ", environment, "git init -q . && ", environment,
             "git check-ignore --no-index -z --stdin < '", scratch / "paths", "' > '", scratch / "ignored", "'");
  EXPECT_GE(std::system(command.c_str()), 0);
  std::set<std::string> ignored;
  const std::string text = to_text(must(os::read_file(scratch / "ignored")));
  for (std::size_t at = 0; at < text.size(); at = text.find('\0', at) + 1) ignored.insert(text.c_str() + at);
  return ignored;
}

TEST(IgnoreRules, AgreeWithGitOnRandomPatterns) {
  if (std::system("git --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "no git to compare with";
  const test::ScratchDirectory scratch;
  const Tree tree = awkward_tree();
  Random random(4);
  std::vector<std::string> rules;
  std::string paths;
  // Each round has a directory, with its rules and an empty tree, of its own: git is asked once.
  for (int round = 0; round < k_rounds; ++round) {
    const std::string root = concat("r", round);
    make_directory(scratch / concat("tree/", root));
    for (const std::string& directory : tree.directories)
      make_directory(scratch / concat("tree/", root, "/", directory));
    for (const std::string& file : tree.files) write_text(scratch / concat("tree/", root, "/", file), "");
    rules.emplace_back();
    for (std::uint64_t i = random.below(3) + 1; i > 0; --i) rules.back() += random_pattern(random) + "\n";
    if (random.below(4) == 0) rules.back().pop_back();
    write_text(scratch / concat("tree/", root, "/.gitignore"), rules.back());
    for (const auto* const names : {&tree.directories, &tree.files})
      for (const std::string& name : *names) paths += concat(root, "/", name, '\0');
  }
  const auto ignored = ignored_by_git(scratch, paths);
  ASSERT_GT(ignored.size(), 200u);
  for (int round = 0; round < k_rounds; ++round) {
    const std::string& text = rules[static_cast<std::size_t>(round)];
    const IgnoreRules parsed(text);
    for (const auto* const names : {&tree.directories, &tree.files})
      for (const std::string& name : *names)
        EXPECT_EQ(is_ignored(parsed, tree, name), ignored.contains(concat("r", round, "/", name)))
            << "'" << name << "' by\n"
            << text;
  }
}

}  // namespace
}  // namespace studio::content
