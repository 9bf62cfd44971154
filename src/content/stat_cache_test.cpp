#include "content/stat_cache.hpp"

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

const CacheIdentity k_identity{"store-id", "/some/source", "experiments/e/artifacts/t/v000000",
                               Sha256::of(as_bytes("root"))};

CachedEntry cached_file(std::string name) {
  return {.inode = 7,
          .changed_ns = -5,
          .racy = true,
          .entry = {.type = EntryType::file, .name = std::move(name), .mode = 0644}};
}
CachedEntry cached_directory(std::string name, std::uint64_t block) {
  return {.inode = 8,
          .changed_ns = 6,
          .block = block,
          .entry = {.type = EntryType::directory, .name = std::move(name), .mode = 0755}};
}

struct StatCaches : testing::Test {
  // A root with a file and a directory with two files.
  void write_small() {
    const auto draft = must(StatCacheDraft::create(path));
    const std::uint64_t inner = must(draft->add({cached_file("x"), cached_file("y")}));
    draft->set_root(must(draft->add({cached_file("a"), cached_directory("d", inner)})));
    must(draft->publish(k_identity));
  }
  std::vector<std::string> names_beside() const {
    const os::Fd fd = must(os::open(scratch.path(), O_RDONLY | O_DIRECTORY));
    return must(os::names_in(fd.get(), "scratch"));
  }

  test::ScratchDirectory scratch;
  std::string path = scratch / "cache";
};

TEST_F(StatCaches, RoundTrip) {
  write_small();
  const auto cache = StatCache::open(path);
  ASSERT_TRUE(cache);
  EXPECT_EQ(cache->identity(), k_identity);
  const auto root = cache->block(cache->root());
  ASSERT_TRUE(root);
  ASSERT_EQ(root->size(), 2u);
  EXPECT_EQ(root->at(0), cached_file("a"));
  EXPECT_EQ(root->at(1), cached_directory("d", root->at(1).block));
  EXPECT_EQ(cache->block(root->at(1).block), (CachedEntries{cached_file("x"), cached_file("y")}));
  EXPECT_FALSE(cache->block(0));
  EXPECT_FALSE(cache->block(17));
  EXPECT_FALSE(cache->block(UINT64_MAX));
  EXPECT_EQ(names_beside(), std::vector<std::string>{"cache"});
}

TEST_F(StatCaches, DroppedDraftLeavesTheOldOne) {
  write_small();
  {
    const auto draft = must(StatCacheDraft::create(path));
    draft->set_root(must(draft->add({})));
    EXPECT_EQ(names_beside().size(), 2u);
  }
  EXPECT_EQ(names_beside(), std::vector<std::string>{"cache"});
  EXPECT_EQ(StatCache::open(path)->block(StatCache::open(path)->root())->size(), 2u);
}

TEST_F(StatCaches, StaleDraftsAreRemoved) {
  write_text(scratch / ".new-old", "x");
  set_time(scratch / ".new-old", 1000, 0);
  write_text(scratch / ".new-young", "x");
  write_small();
  EXPECT_EQ(names_beside(), (std::vector<std::string>{".new-young", "cache"}));
}

TEST_F(StatCaches, CopiesWhatDidNotChange) {
  std::uint64_t block = 0;
  {
    const auto draft = must(StatCacheDraft::create(path));
    block = must(draft->add({cached_file("leaf")}));
    // Deeper than a stack would bear, and larger than a buffer.
    for (int depth = 0; depth < 20'000; ++depth)
      block = must(draft->add({cached_directory("d", block), cached_file("f" + std::string(60, 'x'))}));
    draft->set_root(block);
    must(draft->publish(k_identity));
  }
  const auto from = StatCache::open(path);
  ASSERT_TRUE(from);
  const std::string copy_path = scratch / "copy";
  {
    const auto draft = must(StatCacheDraft::create(copy_path));
    (void)must(draft->add({cached_file("something else")}));
    draft->set_root(must(draft->copy(*from, from->root())));
    must(draft->publish(k_identity));
  }
  const auto copy = StatCache::open(copy_path);
  ASSERT_TRUE(copy);
  std::uint64_t at = copy->root();
  int depth = 0;
  for (auto entries = copy->block(at); entries && entries->size() == 2; entries = copy->block(at)) {
    at = entries->front().block;
    ++depth;
  }
  EXPECT_EQ(depth, 20'000);
  EXPECT_EQ(copy->block(at), CachedEntries{cached_file("leaf")});
}

TEST_F(StatCaches, EveryTruncationIsAsIfThereWereNone) {
  write_small();
  const std::string whole = to_text(must(os::read_file(path)));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_quickly(path, whole.substr(0, size));
    EXPECT_FALSE(StatCache::open(path)) << size;
  }
  EXPECT_FALSE(StatCache::open(scratch / "none"));
  EXPECT_FALSE(StatCache::open(scratch.path()));
}

TEST_F(StatCaches, EveryFlippedByteIsFoundOrHarmless) {
  write_small();
  const auto good = StatCache::open(path);
  const auto good_root = *good->block(good->root());
  const auto good_inner = *good->block(good_root[1].block);
  const std::string whole = to_text(must(os::read_file(path)));
  int harmless = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x20);
    write_quickly(path, flipped);
    const auto cache = StatCache::open(path);
    if (!cache) continue;
    EXPECT_EQ(cache->identity(), k_identity);
    const auto root = cache->block(cache->root());
    if (!root) continue;
    EXPECT_EQ(*root, good_root);
    const auto inner = cache->block(root->at(1).block);
    if (!inner) continue;
    EXPECT_EQ(*inner, good_inner);
    ++harmless;
  }
  EXPECT_EQ(harmless, 4);  // the reserved bytes of the head
}

TEST_F(StatCaches, DamagedBlocksAreNotCopied) {
  write_small();
  std::string whole = to_text(must(os::read_file(path)));
  whole[16 + 16] = static_cast<char>(whole[16 + 16] ^ 1);  // in the first block, that of "d"
  write_text(path, whole);
  const auto from = StatCache::open(path);
  ASSERT_TRUE(from);
  const auto draft = must(StatCacheDraft::create(scratch / "copy"));
  draft->set_root(must(draft->copy(*from, from->root())));
  EXPECT_EQ(must(draft->copy(*from, 16)), 0u);
  must(draft->publish(k_identity));
  const auto copy = StatCache::open(scratch / "copy");
  EXPECT_EQ(copy->block(copy->root()), (CachedEntries{cached_file("a"), cached_directory("d", 0)}));
}

TEST_F(StatCaches, BlocksThatGoInCirclesAreDamaged) {
  const auto draft = must(StatCacheDraft::create(path));
  draft->set_root(must(draft->add({cached_directory("d", 16)})));  // its own offset
  must(draft->publish(k_identity));
  const auto cache = StatCache::open(path);
  ASSERT_TRUE(cache);
  EXPECT_FALSE(cache->block(cache->root()));
}

}  // namespace
}  // namespace studio::content
