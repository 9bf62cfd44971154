#include "cli/restoration.hpp"

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "blob/memory.hpp"
#include "content/repository.hpp"
#include "os/directory.hpp"
#include "os/process_testing.hpp"

namespace studio::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RestorationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"source", "source/sub", "work"}) ASSERT_TRUE(os::make_directories(directory_ / name));
    directory_.write("source/x", "content of x");
    directory_.write("source/sub/y", "y");
    ASSERT_EQ(::chmod((directory_ / "source/sub").c_str(), 0555), 0);
    tree_ = version_of(directory_ / "source");
    file_ = version_of(directory_ / "source/x");
  }

  model::Version version_of(const std::string& path) {
    const auto saved = repository_->save({.path = path});
    EXPECT_TRUE(saved);
    return {.experiment = "exp",
            .tag = "tag",
            .kind = saved->tree.kind,
            .file_name = saved->tree.file_name,
            .root = saved->tree.root};
  }

  Result<Restored> restore(const model::Version& version, const std::string& destination, std::stop_token stop = {}) {
    return restore_version(repository_->chunks(), version, destination, directory_ / "work", {.stop = std::move(stop)});
  }

  std::vector<std::string> names_in(const std::string& name) const {
    const auto opened = os::open(directory_ / name, O_RDONLY | O_DIRECTORY);
    return opened ? *os::names_in(opened->get(), name) : std::vector<std::string>{"(no directory)"};
  }
  std::string text_of(std::string_view name) const { return os::text_of(directory_ / name); }

  test::ScratchDirectory directory_;
  blob::MemoryStore store_;
  SystemClock clock_;
  std::unique_ptr<content::Repository> repository_ = *content::Repository::open(store_, clock_, {});
  model::Version tree_;
  model::Version file_;
};

TEST_F(RestorationTest, ADirectoryThatIsNotThereOrEmpty) {
  const auto restored = restore(tree_, "new");
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->path, directory_ / "work/new");
  EXPECT_EQ(text_of("work/new/x"), "content of x");
  ASSERT_TRUE(os::make_directories(directory_ / "work/empty"));
  ASSERT_TRUE(restore(tree_, "empty/"));
  EXPECT_EQ(text_of("work/empty/sub/y"), "y");
  EXPECT_THAT(names_in("work"), ElementsAre("empty", "new"));
}

TEST_F(RestorationTest, ASymlinkToAnEmptyDirectoryStays) {
  ASSERT_TRUE(os::make_directories(directory_ / "elsewhere"));
  ASSERT_EQ(::symlink("../elsewhere", (directory_ / "work/link").c_str()), 0);
  ASSERT_TRUE(restore(tree_, "link"));
  EXPECT_EQ(text_of("elsewhere/x"), "content of x");
  EXPECT_TRUE(S_ISLNK(os::status(directory_ / "work/link")->st_mode));
}

TEST_F(RestorationTest, TheCurrentDirectoryIsFilledAndNotReplaced) {
  const std::string before = directory_ / "work";
  const ino_t inode = os::status(before)->st_ino;
  const os::Fd here = *os::open(".", O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(::chdir(before.c_str()), 0);
  const auto restored = restore(tree_, ".");
  ASSERT_EQ(::fchdir(here.get()), 0);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(os::status(before)->st_ino, inode);
  EXPECT_THAT(names_in("work"), ElementsAre("sub", "x"));
  EXPECT_EQ(os::status(directory_ / "work/sub")->st_mode & 07777u, 0555u);
}

TEST_F(RestorationTest, WhatStandsInTheWayStays) {
  directory_.write("work/file", "mine");
  ASSERT_TRUE(os::make_directories(directory_ / "work/full/x"));
  ASSERT_EQ(::symlink("nowhere", (directory_ / "work/dangling").c_str()), 0);
  for (const char* destination : {"file", "full", "dangling", "file/below"}) {
    const auto restored = restore(tree_, destination);
    ASSERT_FALSE(restored) << destination;
    EXPECT_EQ(restored.error().code, Code::invalid) << destination;
  }
  EXPECT_FALSE(restore(file_, "file"));
  EXPECT_FALSE(restore(file_, "full")) << "there is an x in it";
  EXPECT_FALSE(restore(file_, "dangling"));
  EXPECT_EQ(text_of("work/file"), "mine");
  EXPECT_THAT(names_in("work"), ElementsAre("dangling", "file", "full"));
}

TEST_F(RestorationTest, AMissingParentIsToldOf) {
  const auto restored = restore(tree_, "no/such/parent");
  ASSERT_FALSE(restored);
  EXPECT_THAT(restored.error().message, HasSubstr("work/no/such' does not exist"));
  EXPECT_THAT(names_in("work"), IsEmpty());
}

TEST_F(RestorationTest, AFileUnderTheNameAskedForOrIntoADirectory) {
  EXPECT_EQ(restore(file_, "copy")->path, directory_ / "work/copy");
  EXPECT_EQ(text_of("work/copy"), "content of x");
  ASSERT_TRUE(os::make_directories(directory_ / "work/folder"));
  EXPECT_EQ(restore(file_, "folder")->path, directory_ / "work/folder/x");
  EXPECT_EQ(text_of("work/folder/x"), "content of x");
  EXPECT_FALSE(restore(file_, "missing/")) << "the slash asks for a directory";
  EXPECT_THAT(names_in("work"), ElementsAre("copy", "folder"));
}

TEST_F(RestorationTest, AnInterruptedOrDamagedRestoreLeavesNothing) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(restore(tree_, "new", stop.get_token()).error().code, Code::cancelled);
  model::Version damaged = tree_;
  damaged.root.digest.bytes[0] ^= std::byte{1};
  EXPECT_EQ(restore(damaged, "new").error().code, Code::corrupt);
  damaged = file_;
  damaged.file_name = "..";
  EXPECT_EQ(restore(damaged, "new").error().code, Code::corrupt);
  EXPECT_THAT(names_in("work"), IsEmpty());
}

}  // namespace
}  // namespace studio::cli
