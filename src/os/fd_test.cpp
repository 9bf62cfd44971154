#include "os/fd.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "contract/scratch_directory.hpp"

namespace studio::os {
namespace {

// Root is "nobody" for as long as this lives.
struct OrdinaryUser {
  OrdinaryUser() { (void)!::seteuid(65534); }
  ~OrdinaryUser() { (void)!::seteuid(::getuid()); }
};

TEST(RemoveTree, RemovesFilesTreesAndLinksButNotWhatLinksName) {
  const test::ScratchDirectory scratch;
  ASSERT_TRUE(make_directories(scratch / "tree/a/b"));
  const std::string kept = scratch.write("kept", "x", 0644);
  scratch.write("tree/a/file", "x", 0);
  ASSERT_EQ(::symlink(kept.c_str(), (scratch / "tree/a/link").c_str()), 0);
  ASSERT_EQ(::symlink(scratch.path().c_str(), (scratch / "tree/up").c_str()), 0);
  for (int again = 0; again < 2; ++again) EXPECT_TRUE(remove_tree(scratch / "tree"));
  EXPECT_FALSE(exists(scratch / "tree"));
  EXPECT_EQ(status(kept)->st_mode & 07777u, 0644u);
  ASSERT_EQ(::symlink(scratch.path().c_str(), (scratch / "link").c_str()), 0);
  EXPECT_TRUE(remove_tree(scratch / "link"));
  EXPECT_TRUE(remove_tree(kept));
  EXPECT_FALSE(exists(kept));
}

TEST(RemoveTree, TakesAnyDepthWithFewDescriptors) {
  const test::ScratchDirectory scratch;
  Fd at = *open(scratch.path(), O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(::mkdirat(at.get(), "d", 0700), 0);
    ASSERT_TRUE(open_at(at.get(), "z", O_CREAT | O_WRONLY, 0600));
    at = *open_at(at.get(), "d", O_RDONLY | O_DIRECTORY);
  }
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit few{128, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto removed = remove_tree(scratch / "d");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(removed) << removed.error().message;
  EXPECT_FALSE(exists(scratch / "d"));
}

TEST(RemoveTree, OpensWhatItsOwnerMayNotEnter) {
  const test::ScratchDirectory scratch;
  ASSERT_EQ(::chmod(scratch.path().c_str(), 0777), 0);
  const OrdinaryUser user;
  ASSERT_TRUE(make_directories(scratch / "locked/read-only/none"));
  for (const char* name : {"locked/read-only/none", "locked/read-only", "locked"})
    ASSERT_EQ(::chmod((scratch / name).c_str(), std::string_view(name).ends_with("only") ? 0500 : 0), 0);
  const auto removed = remove_tree(scratch / "locked");
  EXPECT_TRUE(removed) << removed.error().message;
  EXPECT_FALSE(exists(scratch / "locked"));
}

TEST(RemoveTree, SaysWhatItMayNotRemove) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root and another user";
  const test::ScratchDirectory scratch;
  ASSERT_EQ(::chmod(scratch.path().c_str(), 0777), 0);
  ASSERT_TRUE(make_directories(scratch / "sticky"));
  ASSERT_EQ(::chmod((scratch / "sticky").c_str(), 01777), 0);
  const std::string theirs = scratch.write("sticky/theirs", "x");
  const OrdinaryUser user;
  for (const std::string& path : {theirs, scratch / "sticky"}) {
    const auto removed = remove_tree(path);
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().code, Code::denied);
    EXPECT_THAT(removed.error().message, testing::HasSubstr("remove '" + theirs + "'"));
  }
}

TEST(MakeDurableDirectories, MakesPrivateOnesOnRequest) {
  const test::ScratchDirectory scratch;
  ASSERT_TRUE(make_durable_directories(scratch / "a/b", 0700));
  for (const char* name : {"a", "a/b"}) EXPECT_EQ(status(scratch / name)->st_mode & 07777u, 0700u) << name;
  ASSERT_TRUE(make_durable_directories(scratch / "a/b"));
  EXPECT_EQ(status(scratch / "a/b")->st_mode & 07777u, 0700u) << "what is there keeps its mode";
}

}  // namespace
}  // namespace studio::os
