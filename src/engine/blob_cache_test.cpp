#include "engine/blob_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <thread>

#include "engine/capture.hpp"
#include "engine/engine_testing.hpp"
#include "os/atomic_file.hpp"

namespace studio::engine {
namespace {

class BlobCacheTest : public EngineTest {
 protected:
  model::Version save(const std::string& name) {
    if (!catalog_.load("exp")) make_experiment("exp");
    Capturer capturer(services_, "exp", 0, path("output"), {});
    const auto captured = capturer.capture({.tag = "t", .path = path(name)}, model::CaptureReason::final);
    EXPECT_TRUE(captured.has_value()) << captured.error().message;
    return *catalog_.latest("exp", "t").value();
  }
  static std::string text_of(const std::string& file) { return to_text(os::read_file(file).value()); }
  static ino_t inode_of(const std::string& file) { return os::status(file)->st_ino; }

  Services services_ = services();
};

TEST_F(BlobCacheTest, ASecondUseWritesNothing) {
  write("w/a", "1");
  const model::Version version = save("w");
  const std::string placed = place(services_, version).value();
  EXPECT_EQ(placed, concat(home_.blob_cache(), "/", version.root.digest.hex()));
  const ino_t inode = inode_of(placed + "/a");
  EXPECT_EQ(place(services_, version).value(), placed);
  EXPECT_EQ(inode_of(placed + "/a"), inode);
  EXPECT_EQ(os::status(placed + "/a")->st_mode & 0222, 0u);
  EXPECT_EQ(os::status(placed)->st_mode & 0222, 0u);
}

TEST_F(BlobCacheTest, AFileArtifactIsTheFileUnderItsName) {
  write("model.bin", "bytes");
  const std::string placed = place(services_, save("model.bin")).value();
  EXPECT_TRUE(placed.ends_with("/model.bin"));
  EXPECT_EQ(text_of(placed), "bytes");
}

TEST_F(BlobCacheTest, WhatWasTamperedWithOrDeletedIsMended) {
  write("w/a", "one");
  write("w/d/b", "two");
  const model::Version version = save("w");
  const std::string placed = place(services_, version).value();

  ASSERT_TRUE(os::remove_tree(placed + "/d/b").has_value());
  ASSERT_TRUE(place(services_, version).has_value());
  EXPECT_EQ(text_of(placed + "/d/b"), "two");

  ASSERT_TRUE(os::remove_tree(placed + "/a").has_value());
  std::ofstream(placed + "/a") << "six";
  ASSERT_TRUE(place(services_, version).has_value());
  EXPECT_EQ(text_of(placed + "/a"), "one");

  ASSERT_EQ(::chmod((placed + "/d").c_str(), 0755), 0);
  std::ofstream(placed + "/d/extra") << "x";
  ASSERT_TRUE(place(services_, version).has_value());
  EXPECT_FALSE(os::exists(placed + "/d/extra"));

  ASSERT_TRUE(os::remove_tree(home_.blob_cache()).has_value());
  ASSERT_TRUE(place(services_, version).has_value());
  EXPECT_EQ(text_of(placed + "/a"), "one");
}

TEST_F(BlobCacheTest, ARestOfAProcessThatDiedIsNotTrusted) {
  write("w/a", "one");
  const model::Version version = save("w");
  write(concat("home/blobcache/.new-", version.root.digest.hex(), "/junk"), "x");
  const std::string placed = place(services_, version).value();
  EXPECT_FALSE(os::exists(placed + "/junk"));
  EXPECT_EQ(text_of(placed + "/a"), "one");
}

TEST_F(BlobCacheTest, ManyAtOnceDoItOnce) {
  write("w/a", std::string(1 << 20, 'x'));
  const model::Version version = save("w");
  std::vector<Result<std::string>> placed(8, Error{});
  {
    std::vector<std::jthread> threads;
    for (auto& result : placed) threads.emplace_back([&] { result = place(services_, version); });
  }
  for (const auto& result : placed) {
    ASSERT_TRUE(result.has_value()) << result.error().message;
    EXPECT_EQ(text_of(*result + "/a").size(), std::size_t{1} << 20);
  }
}

}  // namespace
}  // namespace studio::engine
