#include "content/ignore_rules.hpp"

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

TEST(Pattern, AsTheShellDoes) {
  const auto matches = [](const char* pattern, std::string_view path) { return matches_pattern(pattern, path); };
  EXPECT_TRUE(matches("*.log", "a.log"));
  EXPECT_TRUE(matches("*.log", ".log"));
  EXPECT_FALSE(matches("*.log", "a/b.log"));
  EXPECT_FALSE(matches("*.log", "a.logs"));
  EXPECT_TRUE(matches("a?c", "abc"));
  EXPECT_FALSE(matches("a?c", "a/c"));
  EXPECT_TRUE(matches("[a-c]x", "bx"));
  EXPECT_FALSE(matches("[!a-c]x", "bx"));
  EXPECT_FALSE(matches("[^a-c]x", "bx"));
  EXPECT_TRUE(matches("[]]x", "]x"));
  EXPECT_TRUE(matches("[[:digit:]]", "7"));
  EXPECT_FALSE(matches("[[:digit:]]", "a"));
  EXPECT_TRUE(matches("[a-]", "-"));
  EXPECT_FALSE(matches("a[/]b", "a/b"));
  EXPECT_FALSE(matches("a[!x]b", "a/b"));
  EXPECT_FALSE(matches("[ab", "a"));
  EXPECT_TRUE(matches("\\*", "*"));
  EXPECT_FALSE(matches("\\*", "a"));
  EXPECT_FALSE(matches("a\\", "a"));
  EXPECT_TRUE(matches("a*b*c", "axxbxxc"));
  EXPECT_FALSE(matches("a*b*c", "axxbxx"));
  EXPECT_TRUE(matches("\xff*", "\xff\xfe"));
}

TEST(Pattern, DoubleStars) {
  const auto matches = [](const char* pattern, std::string_view path) { return matches_pattern(pattern, path); };
  for (const char* path : {"x", "a/x", "a/b/x"}) EXPECT_TRUE(matches("**/x", path)) << path;
  EXPECT_FALSE(matches("**/x", "ax"));
  for (const char* path : {"a/b", "a/x/b", "a/x/y/b"}) EXPECT_TRUE(matches("a/**/b", path)) << path;
  EXPECT_FALSE(matches("a/**/b", "ab"));
  EXPECT_TRUE(matches("a/**", "a/b/c"));
  EXPECT_FALSE(matches("a/**", "a"));
  EXPECT_TRUE(matches("**", "a/b"));
  EXPECT_TRUE(matches("a**b", "axb"));
  EXPECT_FALSE(matches("a**b", "a/b"));
  EXPECT_TRUE(matches("**/a/**/b", "x/a/a/y/b"));
  EXPECT_TRUE(matches("**/*.o", "src/lib/a.o"));
}

TEST(Pattern, TakesLinearTimeOnHostileOnes) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  pattern += "b";
  EXPECT_FALSE(matches_pattern(pattern, std::string(20'000, 'a')));
  std::string deep;
  for (int i = 0; i < 50; ++i) deep += "**/a/";
  std::string path;
  for (int i = 0; i < 2000; ++i) path += "a/";
  EXPECT_FALSE(matches_pattern(deep + "b", path + "c"));
}

// A plain recursive matcher of what both understand.
bool naive(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) return path.empty();
  if (pattern.front() == '*') {
    for (std::size_t i = 0;; ++i) {
      if (naive(pattern.substr(1), path.substr(i))) return true;
      if (i == path.size() || path[i] == '/') return false;
    }
  }
  if (path.empty()) return false;
  if (pattern.front() == '?' ? path.front() == '/' : pattern.front() != path.front()) return false;
  return naive(pattern.substr(1), path.substr(1));
}

TEST(Pattern, AgreesWithANaiveOne) {
  Random random(5);
  for (int i = 0; i < 100'000; ++i) {
    std::string pattern;
    std::string path;
    for (std::uint64_t n = random.below(7); n > 0; --n) pattern += "ab/*?"[random.below(5)];
    for (std::uint64_t n = random.below(7); n > 0; --n) path += "ab/"[random.below(3)];
    if (pattern.find("**") != pattern.npos) continue;
    ASSERT_EQ(matches_pattern(pattern, path), naive(pattern, path)) << pattern << " " << path;
  }
}

TEST(IgnoreRules, AsGitDoes) {
  const IgnoreRules rules(
      "# a comment\n"
      "\n"
      "*.log\n"
      "!keep.log\n"
      "/only_here\n"
      "build/\n"
      "docs/*.txt\r\n"
      "\\#file\n"
      "\\!file\n"
      "trailing   \n"
      "escaped\\ \n"
      "no_newline");
  EXPECT_FALSE(rules.empty());
  EXPECT_TRUE(rules.ignores("a.log", false));
  EXPECT_TRUE(rules.ignores("x/y/a.log", false));
  EXPECT_FALSE(rules.ignores("x/keep.log", false));
  EXPECT_TRUE(rules.ignores("only_here", false));
  EXPECT_FALSE(rules.ignores("x/only_here", false));
  EXPECT_TRUE(rules.ignores("x/build", true));
  EXPECT_FALSE(rules.ignores("x/build", false));
  EXPECT_TRUE(rules.ignores("docs/a.txt", false));
  EXPECT_FALSE(rules.ignores("docs/x/a.txt", false));
  EXPECT_FALSE(rules.ignores("x/docs/a.txt", false));
  EXPECT_TRUE(rules.ignores("#file", false));
  EXPECT_TRUE(rules.ignores("!file", false));
  EXPECT_TRUE(rules.ignores("trailing", false));
  EXPECT_TRUE(rules.ignores("escaped ", false));
  EXPECT_TRUE(rules.ignores("no_newline", true));
  EXPECT_FALSE(rules.ignores(" a comment", false));
}

TEST(IgnoreRules, OfNothingIgnoreNothing) {
  EXPECT_TRUE(IgnoreRules().empty());
  EXPECT_TRUE(IgnoreRules("\n#x\n \n/\n!\n").empty());
  EXPECT_FALSE(IgnoreRules().ignores("a", false));
  EXPECT_TRUE(IgnoreRules("\xef\xbb\xbf*.log").ignores("a.log", false));
}

}  // namespace
}  // namespace studio::content
