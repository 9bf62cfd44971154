// The local store: the contract, and what only a directory can do wrong.
#include "blob/local.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "contract/blob_store_contract.hpp"
#include "contract/scratch_directory.hpp"
#include "os/beneath.hpp"
#include "os/directory.hpp"

namespace studio::blob {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::unique_ptr<Store> opened(const std::string& path) {
  auto store = LocalStore::open({path});
  if (!store) throw std::runtime_error(store.error().message);
  return std::move(*store);
}

struct LocalBackend {
  Store& store() { return *first; }
  Store& another() { return *second; }
  test::ScratchDirectory scratch;
  std::unique_ptr<Store> first = opened(scratch / "store");
  std::unique_ptr<Store> second = opened(scratch / "store");
};
INSTANTIATE_TYPED_TEST_SUITE_P(Local, BlobStoreContract, LocalBackend);

class LocalStoreTest : public testing::Test {
 protected:
  std::vector<std::string> names_in(const std::string& path) {
    const auto fd = os::open(path, O_RDONLY | O_DIRECTORY);
    return fd ? os::names_in(fd->get(), path).value_or(std::vector<std::string>{"?"}) : std::vector<std::string>();
  }

  Result<std::vector<std::string>> keys(const std::string& prefix) {
    std::vector<std::string> found;
    TRY(store_->list(prefix, [&](const ObjectInfo& info) -> Result<void> {
      found.push_back(info.key);
      return {};
    }));
    return found;
  }

  std::string write(const std::string& name) { return scratch_.write(concat("a/b/store/", name), "x"); }

  test::ScratchDirectory scratch_;
  std::string root_ = scratch_ / "a/b/store";
  std::unique_ptr<Store> store_ = opened(root_);
};

TEST_F(LocalStoreTest, IsADirectoryAPersonCanRead) {
  ASSERT_TRUE(put(*store_, "packs/ab/1", as_bytes("bytes")).has_value());
  EXPECT_EQ(to_text(*os::read_file(root_ + "/packs/ab/1")), "bytes");
}

TEST_F(LocalStoreTest, ShowsAFileWithoutReadingIt) {
  ASSERT_TRUE(put(*store_, "k", as_bytes("before")).has_value());
  const ObjectView view = *store_->view("k");
  // Written in place, which no store does: a copy would not tell.
  scratch_.write("a/b/store/k", "behind");
  EXPECT_EQ(as_text(view.bytes()), "behind");
}

TEST_F(LocalStoreTest, LeavesNothingBehindInStaging) {
  ASSERT_TRUE(put(*store_, "k", as_bytes("1"), Condition::if_absent()).has_value());
  ASSERT_FALSE(put(*store_, "k", as_bytes("2"), Condition::if_absent()).has_value());
  ASSERT_FALSE(put(*store_, "k", as_bytes("3"), Condition::if_match("other")).has_value());
  ASSERT_FALSE(put(*store_, "k/l", as_bytes("4")).has_value());
  EXPECT_THAT(names_in(root_ + "/.staging"), IsEmpty());
}

TEST_F(LocalStoreTest, RemovesDirectoriesThatBecameEmpty) {
  ASSERT_TRUE(put(*store_, "a/b/c/k", as_bytes("1")).has_value());
  ASSERT_TRUE(put(*store_, "a/k", as_bytes("1")).has_value());
  ASSERT_TRUE(store_->remove("a/b/c/k").has_value());
  EXPECT_THAT(names_in(root_ + "/a"), ElementsAre("k"));
}

TEST_F(LocalStoreTest, RemovesStaleLeftoversWhenOpened) {
  ASSERT_EQ(::mkdir((root_ + "/.staging").c_str(), 0777), 0);
  write(".staging/new-1-old");
  write(".staging/new-2-fresh");
  struct timespec times[2] = {{0, UTIME_OMIT}, {::time(nullptr) - 90'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (root_ + "/.staging/new-1-old").c_str(), times, 0), 0);
  opened(root_);
  EXPECT_THAT(names_in(root_ + "/.staging"), ElementsAre("new-2-fresh"));
}

TEST_F(LocalStoreTest, DoesNotSeeWhatIsNoObject) {
  ASSERT_TRUE(put(*store_, "d/k", as_bytes("1")).has_value());
  write(".hidden");
  write("with space");
  write("d/caf\xe9");
  ASSERT_EQ(::mkdir((root_ + "/lost+found").c_str(), 0777), 0);
  ASSERT_EQ(::symlink("/etc", (root_ + "/d/.#lock:1").c_str()), 0) << "a link, but under a name that is no key";
  ASSERT_EQ(::mkfifo((root_ + "/d/fifo").c_str(), 0666), 0);
  EXPECT_THAT(*keys(""), ElementsAre("d/k"));
}

TEST_F(LocalStoreTest, NeverWaitsForAFifo) {
  ASSERT_EQ(::mkfifo((root_ + "/fifo").c_str(), 0666), 0);
  EXPECT_EQ(store_->get("fifo", {}).error().code, Code::corrupt);
  EXPECT_EQ(store_->view("fifo").error().code, Code::corrupt);
  EXPECT_EQ(store_->stat("fifo").error().code, Code::corrupt);
}

TEST_F(LocalStoreTest, FollowsNoSymlinkOutOfTheRoot) {
  ASSERT_EQ(::mkdir((scratch_ / "outside").c_str(), 0777), 0);
  scratch_.write("outside/secret", "secret");
  ASSERT_EQ(::symlink((scratch_ / "outside").c_str(), (root_ + "/dir").c_str()), 0);
  ASSERT_EQ(::symlink((scratch_ / "outside/secret").c_str(), (root_ + "/file").c_str()), 0);
  for (const char* key : {"dir/secret", "file"}) {
    EXPECT_EQ(store_->get(key, {}).error().code, Code::unsupported);
    EXPECT_EQ(store_->view(key).error().code, Code::unsupported);
    EXPECT_EQ(store_->stat(key).error().code, Code::unsupported);
    EXPECT_THAT(store_->get(key, {}).error().message, HasSubstr("symbolic link"));
  }
  EXPECT_EQ(put(*store_, "dir/new", as_bytes("x")).error().code, Code::unsupported);
  EXPECT_EQ(put(*store_, "dir/sub/new", as_bytes("x"), Condition::if_absent()).error().code, Code::unsupported);
  EXPECT_EQ(store_->remove("dir/secret").error().code, Code::unsupported);
  EXPECT_EQ(keys("").error().code, Code::unsupported) << "what lies behind a link must not look lost";
  EXPECT_EQ(keys("dir/").error().code, Code::unsupported);
  EXPECT_THAT(names_in(scratch_ / "outside"), ElementsAre("secret"));
}

TEST_F(LocalStoreTest, ReplacesAndRemovesALinkInPlaceOfAnObject) {
  scratch_.write("outside", "kept");
  ASSERT_EQ(::symlink((scratch_ / "outside").c_str(), (root_ + "/k").c_str()), 0);
  ASSERT_TRUE(put(*store_, "k", as_bytes("new")).has_value());
  EXPECT_EQ(to_text(*os::read_file(scratch_ / "outside")), "kept");
  EXPECT_EQ(to_text(*store_->get("k", {})), "new");
}

TEST_F(LocalStoreTest, StagesNothingThroughASymlink) {
  ASSERT_EQ(::mkdir((scratch_ / "outside").c_str(), 0777), 0);
  ASSERT_EQ(::symlink((scratch_ / "outside").c_str(), (root_ + "/.staging").c_str()), 0);
  EXPECT_EQ(put(*store_, "k", as_bytes("x")).error().code, Code::unsupported);
}

TEST_F(LocalStoreTest, LocksNothingThroughASymlink) {
  ASSERT_EQ(::symlink((scratch_ / "outside").c_str(), (root_ + "/.lock").c_str()), 0);
  EXPECT_EQ(put(*store_, "k", as_bytes("x")).error().code, Code::unsupported);
  EXPECT_EQ(store_->remove("k").error().code, Code::unsupported);
  EXPECT_FALSE(os::exists(scratch_ / "outside"));
}

TEST_F(LocalStoreTest, StaysTheSameWhenItIsMoved) {
  ASSERT_TRUE(put(*store_, "k", as_bytes("1")).has_value());
  ASSERT_TRUE(put(*store_, "l", as_bytes("1")).has_value());
  const std::string moved = scratch_ / "moved";
  ASSERT_EQ(::rename(root_.c_str(), moved.c_str()), 0);
  ASSERT_TRUE(put(*store_, "k", as_bytes("2")).has_value());
  ASSERT_TRUE(store_->remove("l").has_value());
  EXPECT_FALSE(os::exists(root_)) << "an empty store in the old place would hide that it was moved";
  EXPECT_EQ(to_text(*opened(moved)->get("k", {})), "2");
  EXPECT_EQ(opened(moved)->stat("l").error().code, Code::not_found);
}

TEST_F(LocalStoreTest, MayItselfBeReachedThroughASymlink) {
  ASSERT_EQ(::symlink(root_.c_str(), (scratch_ / "link").c_str()), 0);
  const auto linked = opened(scratch_ / "link/");
  ASSERT_TRUE(put(*linked, "k", as_bytes("x")).has_value());
  EXPECT_TRUE(store_->stat("k").has_value());
}

TEST_F(LocalStoreTest, SaysWhyItCannotBeOpened) {
  scratch_.write("file", "x");
  EXPECT_EQ(LocalStore::open({""}).error().code, Code::invalid);
  for (const char* path : {"file", "file/store"}) {
    const auto store = LocalStore::open({scratch_ / path});
    ASSERT_FALSE(store.has_value());
    EXPECT_THAT(store.error().message, HasSubstr("file'"));
  }
}

TEST_F(LocalStoreTest, OpensWithoutOpenat2) {
  ASSERT_TRUE(put(*store_, "d/e/k", as_bytes("x")).has_value());
  ASSERT_EQ(::symlink("/etc", (root_ + "/link").c_str()), 0);
  const auto root = os::open(root_, O_RDONLY | O_DIRECTORY);
  const auto error_of = [&](const std::string& path, int flags) {
    const os::Fd fd(os::open_by_components(root->get(), path, flags));
    return fd ? 0 : errno;
  };
  EXPECT_EQ(error_of(".", O_RDONLY | O_DIRECTORY), 0);
  EXPECT_EQ(error_of("d/e/k", O_RDONLY), 0);
  EXPECT_EQ(error_of("d/e", O_RDONLY | O_DIRECTORY), 0);
  EXPECT_EQ(error_of("d/none/k", O_RDONLY), ENOENT);
  EXPECT_EQ(error_of("d/e/k/l", O_RDONLY), ENOTDIR);
  EXPECT_EQ(error_of("link/passwd", O_RDONLY), ELOOP);
  EXPECT_EQ(error_of("link", O_RDONLY | O_DIRECTORY), ELOOP);
  EXPECT_EQ(error_of("link", O_RDONLY), ELOOP);
}

TEST(LocalStoreDisk, FullDiskIsExhausted) {
  const test::SmallDisk disk("size=1m");
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  const auto store = opened(disk / "store");
  ASSERT_TRUE(put(*store, "small", as_bytes("kept")).has_value());
  const std::string large(2 << 20, 'x');
  for (const Condition& condition : {Condition::none(), Condition::if_absent()}) {
    const auto etag = put(*store, "d/large", as_bytes(large), condition);
    ASSERT_FALSE(etag.has_value());
    EXPECT_EQ(etag.error().code, Code::exhausted) << etag.error().message;
    EXPECT_THAT(etag.error().hint, HasSubstr("free space"));
  }
  EXPECT_EQ(to_text(*store->get("small", {})), "kept");
  EXPECT_FALSE(store->stat("d/large").has_value());
  const std::string fits(600 << 10, 'x');
  EXPECT_TRUE(put(*store, "fits", as_bytes(fits)).has_value()) << "what was given up takes no space";
}

TEST(LocalStoreDisk, NoInodesLeftIsExhausted) {
  const test::SmallDisk disk("nr_inodes=12");
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  const auto store = opened(disk / "store");
  Result<std::string> etag = std::string();
  int stored = 0;
  for (; etag && stored < 20; ++stored) etag = put(*store, concat("k", stored), as_bytes("x"));
  ASSERT_FALSE(etag.has_value());
  EXPECT_EQ(etag.error().code, Code::exhausted) << etag.error().message;
  ASSERT_TRUE(store->remove("k0").has_value());
  EXPECT_TRUE(put(*store, "again", as_bytes("x")).has_value());
}

TEST(LocalStoreDisk, ReadOnlyStoreCanBeReadAndRefusesTheRest) {
  const test::SmallDisk disk("size=1m");
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  ASSERT_TRUE(put(*opened(disk / "store"), "k", as_bytes("kept")).has_value());
  ASSERT_TRUE(disk.make_read_only());
  const auto store = opened(disk / "store");
  EXPECT_EQ(to_text(*store->get("k", {})), "kept");
  EXPECT_TRUE(store->list("", [](const ObjectInfo&) -> Result<void> { return {}; }).has_value());
  EXPECT_EQ(put(*store, "l", as_bytes("x")).error().code, Code::denied);
  EXPECT_EQ(store->remove("k").error().code, Code::denied);
}

}  // namespace
}  // namespace studio::blob
