#include "content/verify.hpp"

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

struct Verifying : testing::Test {
  Verifying() {
    make_directory(source + "/d");
    write_text(source + "/d/one", random_text(40'000, 1));
    write_text(source + "/two", random_text(40'000, 2));
    first = lab.keep(source, 0);
    write_text(source + "/three", random_text(40'000, 3));
    second = lab.keep(source, 1, &first);
  }
  VerifyReport report() {
    lab.open(lab.objects);
    return must(verify(*lab.repository, {}));
  }
  // Where in which pack the content of a file lies.
  std::pair<std::string, std::size_t> place_of(std::string_view path) {
    const TreeEntry entry = must(find_entry(lab.repository->chunks(), second.root, path));
    for (const IndexedChunk& chunk : must(lab.repository->chunks().all_chunks()))
      if (chunk.digest == entry.content.digest) return {pack_key(chunk.location.pack), chunk.location.offset};
    throw std::runtime_error("not in the index");
  }

  Lab lab;
  std::string source = lab.scratch / "source";
  model::Version first;
  model::Version second;
};

TEST_F(Verifying, GoodStore) {
  const VerifyReport result = report();
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.packs, 2u);
  EXPECT_EQ(result.versions, 2u);
  EXPECT_EQ(result.chunks, must(lab.repository->chunks().all_chunks()).size());
  EXPECT_FALSE(result.index_rebuilt);
}

TEST_F(Verifying, DamagedChunkNamesTheFilesAndIsNeverHandedOut) {
  const auto [key, offset] = place_of("d/one");
  flip(lab.objects, key, offset + 100);
  const VerifyReport result = report();
  ASSERT_EQ(result.damages.size(), 1u);
  EXPECT_EQ(result.damages[0].object, key);
  EXPECT_EQ(result.damages[0].affected, (std::vector<std::string>{"e/t@v0: d/one", "e/t@v1: d/one"}));
  const TreeEntry entry = must(find_entry(lab.repository->chunks(), second.root, "d/one"));
  EXPECT_EQ(code_of(read_content(lab.repository->chunks(), entry.content, 1 << 20)), Code::corrupt);
  const TreeEntry other = must(find_entry(lab.repository->chunks(), second.root, "two"));
  EXPECT_EQ(to_text(must(read_content(lab.repository->chunks(), other.content, 1 << 20))), random_text(40'000, 2));
  // The next full capture stores the chunk again, which mends all versions.
  must(os::remove_tree(lab.scratch / "caches"));
  (void)lab.save(source, &second);
  EXPECT_EQ(to_text(must(read_content(lab.repository->chunks(), entry.content, 1 << 20))), random_text(40'000, 1));
}

TEST_F(Verifying, DamagedListingNamesItsDirectory) {
  const auto [key, offset] = place_of("d");
  flip(lab.objects, key, offset);
  const VerifyReport result = report();
  ASSERT_EQ(result.damages.size(), 1u);
  EXPECT_EQ(result.damages[0].affected, (std::vector<std::string>{"e/t@v0: d", "e/t@v1: d"}));
}

TEST_F(Verifying, MissingPack) {
  const auto [key, offset] = place_of("three");
  must(lab.objects.remove(key));
  const VerifyReport result = report();
  EXPECT_FALSE(result.ok());
  bool named = false;
  for (const Damage& damage : result.damages)
    for (const std::string& text : damage.affected) {
      EXPECT_TRUE(text.starts_with("e/t@v1")) << text;
      named = true;
    }
  EXPECT_TRUE(named);
  EXPECT_EQ(describe(lab.restore(first)).size(), 3u);
}

TEST_F(Verifying, EveryDamageToAPackIsFound) {
  // All bytes would take long: each of the ends, and some between.
  for (const std::string& key : keys_of(lab.objects, k_pack_prefix)) {
    const Bytes whole = must(lab.objects.get(key, {}));
    Random random(6);
    for (std::size_t i = 0; i < 200; ++i) {
      const std::size_t at = i < 20 ? i : i < 100 ? whole.size() - 1 - (i - 20) : random.below(whole.size());
      blob::MemoryStore copy;
      copy_objects(lab.objects, copy);
      flip(copy, key, at);
      const auto repository = must(Repository::open(copy, lab.clock, {}));
      ASSERT_FALSE(must(verify(*repository, {})).ok()) << at << " of " << whole.size();
    }
  }
}

TEST_F(Verifying, IndexIsMended) {
  for (const std::string& key : keys_of(lab.objects, k_index_prefix)) {
    flip(lab.objects, key, 200);
    const VerifyReport result = report();
    EXPECT_TRUE(result.ok());
    EXPECT_TRUE(result.index_rebuilt);
    EXPECT_FALSE(report().index_rebuilt);
    EXPECT_EQ(describe(lab.restore(second)), describe(source));
    break;
  }
}

TEST_F(Verifying, DamagedManifestAndStrangers) {
  must(blob::put(lab.objects, manifest_key("e", "t", 0), as_bytes("{")));
  must(blob::put(lab.objects, "packs/zz/stranger", as_bytes("x")));
  const VerifyReport result = report();
  std::vector<std::string> objects;
  for (const Damage& damage : result.damages) objects.push_back(damage.object);
  std::sort(objects.begin(), objects.end());
  EXPECT_EQ(objects, (std::vector<std::string>{manifest_key("e", "t", 0), "packs/zz/stranger"}));
  EXPECT_EQ(result.versions, 1u);
}

TEST_F(Verifying, StopsAndMeasures) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(code_of(verify(*lab.repository, {.stop = stop.get_token()})), Code::cancelled);
  const StoreStats stats = must(measure(*lab.repository));
  EXPECT_EQ(stats.versions, 2u);
  EXPECT_EQ(stats.logical_bytes, 200'000u);
  EXPECT_GT(stats.unique_bytes, 120'000u);
  EXPECT_LT(stats.unique_bytes, 125'000u);
  ASSERT_EQ(stats.artifacts.size(), 1u);
  EXPECT_EQ(stats.artifacts[0].versions, 2u);
}

}  // namespace
}  // namespace studio::content
