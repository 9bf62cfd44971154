// The index of a store as it grows, with tables of few chunks.
#include "content/chunk_index.hpp"

#include <thread>

#include "blob/local.hpp"
#include "content/content_testing.hpp"

namespace studio::content {
namespace {

Digest digest_of(std::string_view text) { return Sha256::of(as_bytes(text)); }

struct ChunkIndexes : testing::Test {
  static constexpr std::uint64_t k_most = 100;  // chunks of a table

  std::unique_ptr<ChunkIndex> another(blob::Store& store) {
    return std::make_unique<ChunkIndex>(
        store, [this](const std::string& notice) { notices.push_back(notice); }, k_most);
  }
  std::unique_ptr<ChunkIndex> another() { return another(objects); }

  // Puts a pack of these chunks: an index can be rebuilt from it.
  std::vector<IndexedChunk> put_pack(const std::string& prefix, std::size_t count) {
    PackBuilder pack;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string text = concat(prefix, i);
      pack.add(digest_of(text), ChunkKind::data, as_bytes(text));
    }
    ChunkStore store(objects, {});
    return must(store.put_pack(pack));
  }
  void put(ChunkIndex& index, const std::string& prefix, std::size_t count) {
    must(index.add(put_pack(prefix, count)));
  }
  static bool finds(ChunkIndex& index, const std::string& text) {
    return must(index.find(digest_of(text))).has_value();
  }
  static std::size_t count_of(ChunkIndex& index) {
    std::size_t count = 0;
    std::optional<Digest> last;
    must(index.for_each([&](const IndexedChunk& chunk) -> Result<void> {
      EXPECT_TRUE(!last || *last < chunk.digest);
      last = chunk.digest;
      ++count;
      return {};
    }));
    return count;
  }
  std::vector<std::string> tables() { return keys_of(objects, k_index_prefix); }
  std::vector<std::uint64_t> sizes() {
    std::vector<std::uint64_t> sizes;
    for (const std::string& key : tables()) sizes.push_back(must(IndexTable::open(must(objects.view(key)))).size());
    return sizes;
  }

  blob::MemoryStore objects;
  std::vector<std::string> notices;
};

TEST_F(ChunkIndexes, MergeTablesUpToALimit) {
  const auto index = another();
  std::size_t chunks = 0;
  for (int round = 0; round < 120; ++round) {
    const std::size_t count = 1 + static_cast<std::size_t>(round) % 13;
    put(*index, concat(round, " "), count);
    chunks += count;
    const auto now = sizes();
    EXPECT_LE(*std::max_element(now.begin(), now.end()), k_most);
    EXPECT_LE(std::count_if(now.begin(), now.end(), [](auto size) { return size <= k_most / 2; }), 8);
  }
  EXPECT_GT(chunks, 8 * k_most);
  EXPECT_EQ(count_of(*another()), chunks);
  EXPECT_EQ(count_of(*index), chunks);
  EXPECT_TRUE(finds(*another(), "119 0"));
  EXPECT_TRUE(finds(*another(), "0 0"));
  EXPECT_FALSE(finds(*another(), "0 1"));
  EXPECT_TRUE(notices.empty());
}

TEST_F(ChunkIndexes, AMergeWritesABoundedNumberOfBytes) {
  blob::CountingStore counting(objects);
  const auto index = another(counting);
  for (int round = 0; round < 150; ++round) {
    const auto chunks = put_pack(concat(round, " "), 10);
    counting.reset();
    must(index->add(chunks));
    // A table of ten chunks and one of at most a hundred: two pages of them, at most one of packs, filter, trailer.
    EXPECT_LE(counting.counts().bytes_written, 2 * (3 * 4096 + 5 * 64u));
    EXPECT_LE(counting.counts().puts, 2u);
  }
}

TEST_F(ChunkIndexes, AreNotReadWholeWhenTheyAreOpened) {
  const test::ScratchDirectory scratch;
  const auto local = must(blob::LocalStore::open({scratch / "store"}));
  ChunkStore writer(*local, {});
  std::vector<IndexedChunk> chunks;
  for (std::uint32_t i = 0; i < 20'000; ++i) chunks.push_back({digest_of(concat(i)), {.offset = i}});
  must(writer.add(chunks));
  blob::CountingStore counting(*local);
  const auto index = another(counting);
  EXPECT_TRUE(finds(*index, "19999"));
  EXPECT_FALSE(finds(*index, "20000"));
  EXPECT_EQ(counting.counts().bytes_read, 0u);
  EXPECT_EQ(counting.counts().views, 1u);
}

TEST_F(ChunkIndexes, AreRebuiltAsSeveralTables) {
  const auto index = another();
  for (int i = 0; i < 5; ++i) put(*index, concat(i, " "), 70);
  must(another()->rebuild());
  EXPECT_EQ(count_of(*another()), 350u);
  std::vector<std::uint64_t> rebuilt = sizes();
  std::sort(rebuilt.begin(), rebuilt.end());
  EXPECT_EQ(rebuilt, (std::vector<std::uint64_t>{50, 100, 100, 100}));
  // What was lost as a whole too.
  for (const std::string& key : tables()) must(objects.remove(key));
  const auto other = another();
  EXPECT_TRUE(finds(*other, "3 42"));
  EXPECT_TRUE(other->was_rebuilt());
  EXPECT_EQ(count_of(*other), 350u);
  EXPECT_EQ(sizes().size(), 4u) << "and nothing else";
  EXPECT_EQ(count_of(*another()), 350u);
}

TEST_F(ChunkIndexes, APartOfARebuiltIndexIsNotTakenForAll) {
  // Cut off at any call, with a lost index or a damaged one, and ended by the next who looks.
  for (const bool lost : {true, false}) {
    for (std::uint64_t call = 1;; ++call) {
      for (const std::string& key : keys_of(objects, "")) must(objects.remove(key));
      ChunkIndex writer(objects, {});
      for (int i = 0; i < 5; ++i) put(writer, concat(i, " "), 70);
      if (lost)
        for (const std::string& key : tables()) must(objects.remove(key));
      else
        flip(objects, tables().at(2), 100);
      std::uint64_t calls = 0;
      blob::FaultStore faulty(objects,
                              [&](blob::Call, std::string_view, std::uint64_t number) -> std::optional<blob::Fault> {
                                calls = number;
                                if (number < call) return {};
                                return blob::Fault{{Code::unavailable, "the power is out"}};
                              });
      (void)another(faulty)->for_each([](const IndexedChunk&) -> Result<void> { return {}; });
      ASSERT_EQ(count_of(*another()), 350u) << "cut off at call " << call;
      if (calls < call) break;
    }
  }
}

TEST_F(ChunkIndexes, AreKeptInMemoryUntilTheStoreCanBeWritten) {
  const auto writer = another();
  for (int i = 0; i < 5; ++i) put(*writer, concat(i, " "), 70);
  for (const std::string& key : tables()) must(objects.remove(key));
  bool locked = true;
  int puts = 0;
  blob::FaultStore faulty(objects, [&](blob::Call call, std::string_view, std::uint64_t) -> std::optional<blob::Fault> {
    // The first table still goes through.
    if (!locked || call != blob::Call::put || ++puts <= 2) return {};
    return blob::Fault{{Code::exhausted, "the disk is full"}};
  });
  const auto index = another(faulty);
  EXPECT_EQ(count_of(*index), 350u);
  EXPECT_FALSE(index->was_rebuilt());
  EXPECT_EQ(notices.size(), 1u);
  EXPECT_FALSE(must(index->find_anew(digest_of("none")))) << "listed again, not rebuilt again";
  EXPECT_EQ(notices.size(), 1u);
  const auto more = put_pack("more ", 1);
  EXPECT_EQ(code_of(index->add(more)), Code::exhausted);
  locked = false;
  must(index->add(more));
  EXPECT_EQ(count_of(*another()), 351u);
  EXPECT_EQ(sizes().size(), 5u);
  EXPECT_EQ(notices.size(), 1u);
}

TEST_F(ChunkIndexes, AreRebuiltWhateverIsDamaged) {
  const auto writer = another();
  put(*writer, "0 ", 90);
  const std::string key = tables().at(0);
  const Bytes sound = must(objects.get(key, {}));
  // Two pages of entries, one of packs, three blocks of the filter, the trailer.
  ASSERT_EQ(sound.size(), 3 * 4096u + 4 * 64u);
  for (const std::size_t at : {std::size_t{0}, std::size_t{4096}, std::size_t{2 * 4096}, std::size_t{3 * 4096},
                               std::size_t{3 * 4096 + 64}, sound.size() - 64, sound.size() - 1}) {
    flip(objects, key, at);
    const auto index = another();
    for (int i = 0; i < 90; ++i) ASSERT_TRUE(finds(*index, concat("0 ", i))) << "damaged at " << at;
    EXPECT_EQ(must(objects.get(key, {})), sound);
    EXPECT_TRUE(index->was_rebuilt());
    flip(objects, key, at);
    EXPECT_EQ(count_of(*another()), 90u);
    EXPECT_EQ(must(objects.get(key, {})), sound);
  }
  must(blob::put(objects, key, as_bytes("")));
  EXPECT_TRUE(finds(*another(), "0 1"));
}

TEST_F(ChunkIndexes, OfAnEarlierFormatAreRebuilt) {
  const auto writer = another();
  put(*writer, "0 ", 3);
  const std::string key = tables().at(0);
  must(objects.remove(key));
  Bytes earlier(48 + 32 + 4096);
  std::fill(earlier.begin(), earlier.end(), std::byte{0});
  std::memcpy(earlier.data(), "STUDINDX\1", 9);
  const std::string earlier_key = index_key(Sha256::of(earlier));
  must(blob::put(objects, earlier_key, earlier));
  EXPECT_TRUE(finds(*another(), "0 1"));
  EXPECT_EQ(tables(), std::vector<std::string>{key});
}

TEST_F(ChunkIndexes, AreLookedUpWhileTheyAreMergedAndRebuilt) {
  const auto index = another();
  put(*index, "first ", 10);
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      while (!done) {
        EXPECT_TRUE(finds(*index, "first 3"));
        EXPECT_FALSE(finds(*index, "none"));
      }
    });
  for (int round = 0; round < 60; ++round) {
    put(*index, concat(round, " "), 20);
    if (round % 20 == 10) must(index->rebuild());
    if (round % 20 == 15) index->forget();
  }
  done = true;
  readers.clear();
  EXPECT_EQ(count_of(*index), 10 + 60 * 20u);
}

}  // namespace
}  // namespace studio::content
