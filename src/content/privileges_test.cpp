// What an ordinary user may not read or make: the rest is captured, and the version says so.
#include <grp.h>
#include <unistd.h>

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

// A process of root is "nobody" for as long as this lives.
class OrdinaryUser {
 public:
  OrdinaryUser() : was_root_(::geteuid() == 0) {
    if (was_root_) must_be_zero(::seteuid(k_nobody));
  }
  ~OrdinaryUser() {
    if (was_root_ && ::seteuid(0) != 0) std::abort();
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;

 private:
  static constexpr uid_t k_nobody = 65534;
  bool was_root_;
};

struct Privileges : testing::Test {
  Privileges() {
    must_be_zero(::chmod(lab.scratch.path().c_str(), 0777));
    const OrdinaryUser user;
    lab.open(lab.objects);
    make_directory(source + "/d");
    write_text(source + "/a", "readable");
    write_text(source + "/locked", "secret");
    write_text(source + "/d/inner", "inside");
  }
  void lock(const std::string& name) { must_be_zero(::chmod((source + "/" + name).c_str(), 0)); }
  std::vector<std::string> problems_of(const model::Version& version) {
    std::vector<std::string> paths;
    for (const model::Problem& problem : version.problems) paths.push_back(problem.path);
    return paths;
  }
  Result<std::string> content_of(const model::Version& version, std::string_view path) {
    TRY_ASSIGN(const TreeEntry entry, find_entry(lab.repository->chunks(), version.root, path));
    TRY_ASSIGN(const Bytes content, read_content(lab.repository->chunks(), entry.content, 1 << 20));
    return to_text(content);
  }

  Lab lab;
  std::string source = lab.scratch / "source";
};

TEST_F(Privileges, AnUnreadableFileIsLeftOutAndSaidSo) {
  const OrdinaryUser user;
  lock("locked");
  lock("d");
  const auto version = lab.keep(source, 0);
  EXPECT_EQ(problems_of(version), (std::vector<std::string>{"d", "locked"}));
  EXPECT_EQ(version.problem_count, 2u);
  EXPECT_EQ(must(content_of(version, "a")), "readable");
  EXPECT_EQ(code_of(content_of(version, "locked")), Code::not_found);
  EXPECT_EQ(version.totals.files, 1u);
  const TreeEntry directory = must(find_entry(lab.repository->chunks(), version.root, "d"));
  EXPECT_EQ(directory.type, EntryType::directory);
  EXPECT_FALSE(directory.problem.empty());
  must_be_zero(::chmod((source + "/d").c_str(), 0755));
}

TEST_F(Privileges, WhatBecomesUnreadableKeepsItsLastContent) {
  for (const bool with_cache : {true, false}) {
    const OrdinaryUser user;
    for (const char* name : {"locked", "d"}) must_be_zero(::chmod((source + "/" + name).c_str(), 0755));
    const auto number = static_cast<std::uint64_t>(with_cache ? 0 : 10);
    const auto first = lab.keep(source, number);
    lock("locked");
    lock("d");
    if (!with_cache) must(os::remove_tree(lab.scratch / "caches"));
    const auto second = lab.keep(source, number + 1, &first);
    EXPECT_EQ(problems_of(second), (std::vector<std::string>{"d", "locked"}));
    EXPECT_EQ(must(content_of(second, "locked")), "secret");
    EXPECT_EQ(must(content_of(second, "d/inner")), "inside");
    EXPECT_EQ(second.totals, first.totals);
    // Nothing new the next time, and all is well again when it can be read.
    const Saved third = lab.save(source, &second);
    EXPECT_FALSE(third.changed);
    EXPECT_EQ(third.tree.problem_count, 2u);
    for (const char* name : {"locked", "d"}) must_be_zero(::chmod((source + "/" + name).c_str(), 0755));
    const auto fourth = lab.keep(source, number + 2, &second);
    EXPECT_EQ(fourth.problem_count, 0u);
    EXPECT_EQ(must(content_of(fourth, "d/inner")), "inside");
  }
}

TEST_F(Privileges, AnUnreadableArtifactIsRefused) {
  const OrdinaryUser user;
  lock("locked");
  EXPECT_EQ(code_of(lab.repository->save({.path = source + "/locked"})), Code::denied);
  lock("");
  EXPECT_EQ(code_of(lab.repository->save({.path = source})), Code::denied);
  EXPECT_EQ(code_of(lab.repository->save({.path = source + "/a"})), Code::denied);
  must_be_zero(::chmod(source.c_str(), 0755));
}

TEST_F(Privileges, AFileInADirectoryThatCannotBeListedIsCaptured) {
  const OrdinaryUser user;
  must_be_zero(::chmod(source.c_str(), 0111));
  const auto version = lab.keep(source + "/a", 0);
  EXPECT_EQ(must(content_of(version, "a")), "readable");
  must_be_zero(::chmod(source.c_str(), 0755));
}

TEST_F(Privileges, RestoresWhatItMayNotReadOrWriteLater) {
  const OrdinaryUser user;
  std::string deep = source + "/deep";
  make_directory(deep);
  // Below more levels than are held open.
  for (int i = 0; i < 80; ++i) must_be_zero(::mkdir((deep += "/x").c_str(), 0755));
  write_text(deep + "/leaf", "leaf");
  must_be_zero(::chmod((source + "/locked").c_str(), 0400));
  must_be_zero(::chmod((source + "/d").c_str(), 0555));
  const auto version = lab.keep(source, 0);
  const auto expected = describe(source);
  EXPECT_EQ(describe(lab.restore(version)), expected);
  const std::string read_only = lab.restore(version, true);
  EXPECT_EQ(to_text(must(os::read_file(read_only + deep.substr(source.size()) + "/leaf"))), "leaf");
  EXPECT_TRUE(must(looks_restored(lab.repository->chunks(), version.root, read_only)));
}

// A listing whose directories may not even be entered once they are restored.
TEST_F(Privileges, RestoresDirectoriesThatForbidTheWayBack) {
  const OrdinaryUser user;
  Chunks chunks;
  std::vector<Node> nodes{file_node(chunks, "leaf", "x", 0)};
  for (int i = 0; i < 100; ++i) nodes = {directory_node("d", std::move(nodes), 0)};
  const std::string into = lab.scratch / "into";
  make_directory(into);
  must(restore_tree(chunks.writer, put_tree(chunks, nodes), into, {}));
  EXPECT_EQ(stat_of(into + "/d").st_mode & 07777, 0u);
  std::string path = into;
  for (int i = 0; i < 100; ++i) must_be_zero(::chmod((path += "/d").c_str(), 0755));
  EXPECT_EQ(stat_of(path + "/leaf").st_size, 1);
}

TEST_F(Privileges, DevicesThatCannotBeMadeAreProblems) {
  if (::geteuid() != 0) GTEST_SKIP() << "the counterpart needs root";
  Chunks chunks;
  const ContentRef root = put_tree(
      chunks, {{{.type = EntryType::char_device, .name = "null", .mode = 0600, .device_major = 1, .device_minor = 3}},
               file_node(chunks, "x", "x")});
  const std::string into = lab.scratch / "into";
  {
    const OrdinaryUser user;
    make_directory(into);
    const auto problems = must(restore_tree(chunks.writer, root, into, {.read_only = true}));
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_EQ(problems.front().path, "null");
    EXPECT_TRUE(must(looks_restored(chunks.writer, root, into)));
  }
  const std::string by_root = lab.scratch / "by-root";
  make_directory(by_root);
  EXPECT_TRUE(must(restore_tree(chunks.writer, root, by_root, {})).empty());
  EXPECT_TRUE(S_ISCHR(stat_of(by_root + "/null").st_mode));
}

}  // namespace
}  // namespace studio::content
