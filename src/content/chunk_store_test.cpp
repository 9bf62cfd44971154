// Chunks by digest: stored once, found by all, and never lost by what others do at the same time.
#include "content/chunk_store.hpp"

#include <xxhash.h>

#include <thread>

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

Digest digest_of(std::string_view text) { return Sha256::of(as_bytes(text)); }

struct ChunkStores : testing::Test {
  // Another process on the same store.
  std::unique_ptr<ChunkStore> another(blob::Store& store) {
    return std::make_unique<ChunkStore>(store, [this](const std::string& notice) {
      const std::lock_guard lock(mutex);
      notices.push_back(notice);
    });
  }
  std::unique_ptr<ChunkStore> another() { return another(objects); }
  static void put(ChunkStore& store, const std::vector<std::string>& texts) {
    ChunkWriter writer(store);
    for (const std::string& text : texts) must(writer.put(ChunkKind::data, as_bytes(text)));
    must(writer.flush());
  }
  static std::string read(ChunkStore& store, std::string_view text) {
    return to_text(must(store.read(digest_of(text))));
  }
  static std::string read_all(ChunkStore& store, const std::vector<std::string>& texts) {
    std::vector<ChunkRef> chunks;
    std::size_t size = 0;
    for (const std::string& text : texts) {
      chunks.push_back({digest_of(text), text.size()});
      size += text.size();
    }
    Bytes bytes(size);
    must(store.read_into(chunks, bytes));
    return to_text(bytes);
  }
  // Two packs that share the chunk "shared": their writers did not know of each other.
  void put_shared_twice() {
    const auto a = another();
    const auto b = another();
    ChunkWriter first(*a);
    ChunkWriter second(*b);
    for (ChunkWriter* writer : {&first, &second}) must(writer->put(ChunkKind::data, as_bytes("shared")));
    must(first.put(ChunkKind::data, as_bytes("of the first")));
    must(first.flush());
    must(second.flush());
  }

  std::string pack_of(std::string_view text) {
    for (const IndexedChunk& chunk : all_chunks(*another()))
      if (chunk.digest == digest_of(text)) return pack_key(chunk.location.pack);
    throw std::runtime_error("not in the index");
  }
  // Calls `meddle` once, right before a call of the store.
  std::unique_ptr<blob::FaultStore> meddled(blob::Call wanted, std::string prefix, std::function<void()> meddle) {
    auto done = std::make_shared<bool>(false);  // the policy is copied
    return std::make_unique<blob::FaultStore>(
        objects, [=](blob::Call call, std::string_view key, std::uint64_t) -> std::optional<blob::Fault> {
          if (call == wanted && key.starts_with(prefix) && !std::exchange(*done, true)) meddle();
          return {};
        });
  }

  blob::MemoryStore objects;
  std::mutex mutex;
  std::vector<std::string> notices;
};

TEST_F(ChunkStores, StoreEachChunkOnce) {
  const auto store = another();
  ChunkWriter first(*store);
  must(first.put(ChunkKind::data, as_bytes("one")));
  must(first.put(ChunkKind::metadata, as_bytes("two")));
  must(first.put(ChunkKind::data, as_bytes("one")));
  EXPECT_TRUE(keys_of(objects, "").empty()) << "nothing before it is flushed";
  EXPECT_EQ(to_text(must(first.read(digest_of("one")))), "one");
  EXPECT_TRUE(must(first.knows(digest_of("two"))));
  EXPECT_FALSE(must(store->contains(digest_of("two"))));
  must(first.flush());
  EXPECT_EQ(first.new_bytes(), 3u);
  EXPECT_EQ(first.stored_bytes(), 6u);
  EXPECT_EQ(keys_of(objects, k_pack_prefix).size(), 1u);
  EXPECT_EQ(keys_of(objects, k_index_prefix).size(), 1u);
  must(first.flush());

  const auto other = another();
  ChunkWriter second(*other);
  must(second.put(ChunkKind::data, as_bytes("one")));
  must(second.flush());
  EXPECT_EQ(second.stored_bytes(), 0u);
  EXPECT_EQ(keys_of(objects, k_pack_prefix).size(), 1u);
  EXPECT_EQ(all_chunks(*other).size(), 2u);
}

TEST_F(ChunkStores, RefuseAChunkThatNoIndexCanHold) {
  const auto store = another();
  ChunkWriter writer(*store);
  EXPECT_EQ(code_of(writer.put(ChunkKind::data, Bytes(k_most_chunk + 1))), Code::invalid);
  const Bytes largest(k_most_chunk, std::byte{7});
  const Digest digest = must(writer.put(ChunkKind::data, largest));
  must(writer.flush());
  EXPECT_TRUE(must(another()->read(digest)) == largest);
}

TEST_F(ChunkStores, PutFullPacksWithoutWaiting) {
  const auto store = another();
  ChunkWriter writer(*store);
  Bytes chunk = random_bytes(4 << 20);
  const auto nth = [&](std::uint8_t i) -> const Bytes& {
    chunk[0] = std::byte{i};
    return chunk;
  };
  for (std::uint8_t i = 0; i < 9; ++i) must(writer.put(ChunkKind::data, nth(i)));
  for (std::uint8_t i = 0; i < 9; ++i) EXPECT_TRUE(must(writer.read(Sha256::of(nth(i)))) == chunk);
  EXPECT_GE(keys_of(objects, k_pack_prefix).size(), 2u) << "full ones; to read a chunk is to wait for its pack";
  must(writer.flush());
  EXPECT_EQ(all_chunks(*another()).size(), 9u);
}

TEST_F(ChunkStores, ReadNeighboursInOneGo) {
  const std::vector<std::string> texts{"one", "two", "three", "four"};
  put(*another(), texts);
  put(*another(), {"elsewhere"});
  blob::CountingStore counting(objects);
  const auto store = another(counting);
  must(store->contains(digest_of("one")));
  counting.reset();
  EXPECT_EQ(read_all(*store, {"four", "one", "two", "three", "four", "elsewhere"}), "fouronetwothreefourelsewhere");
  EXPECT_EQ(counting.counts().gets, 3u) << "four is there twice";
}

TEST_F(ChunkStores, MergeManySmallTables) {
  for (int i = 0; i < 100; ++i) {
    put(*another(), {concat("chunk ", i)});
    EXPECT_LE(keys_of(objects, k_index_prefix).size(), 9u);
  }
  const auto store = another();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(read(*store, concat("chunk ", i)), concat("chunk ", i));
  EXPECT_TRUE(notices.empty());
}

TEST_F(ChunkStores, FindAllWhileOthersMerge) {
  // One that loaded its index long ago, and writes and reads beside those that merge.
  const auto old = another();
  put(*old, {"old 0"});
  for (int i = 1; i < 60; ++i) {
    put(*another(), {concat("new ", i)});
    if (i % 7 == 0) put(*old, {concat("old ", i)});
    EXPECT_EQ(read(*old, concat("new ", i)), concat("new ", i));
  }
  const auto store = another();
  for (int i = 0; i < 60; i += 7) EXPECT_EQ(read(*store, concat("old ", i)), concat("old ", i));
  EXPECT_TRUE(notices.empty());
}

TEST_F(ChunkStores, ListAgainWhenATableIsMergedAway) {
  for (int i = 0; i < 8; ++i) put(*another(), {concat("chunk ", i)});
  const auto racing = meddled(blob::Call::get, "index/", [this] { put(*another(), {"the ninth"}); });
  const auto store = another(*racing);
  EXPECT_EQ(read(*store, "chunk 3"), "chunk 3");
  EXPECT_FALSE(store->index_was_rebuilt());
}

TEST_F(ChunkStores, KeepWhatTheyKnowWhenTheIndexCannotBeRead) {
  put(*another(), {"one"});
  bool cut = false;
  blob::FaultStore faulty(objects, [&](blob::Call, std::string_view key, std::uint64_t) -> std::optional<blob::Fault> {
    if (!cut || !key.starts_with("index/")) return {};
    return blob::Fault{{Code::unavailable, "the connection was lost"}};
  });
  const auto store = another(faulty);
  EXPECT_EQ(read(*store, "one"), "one");
  cut = true;
  EXPECT_EQ(code_of(store->read(digest_of("missing"))), Code::unavailable) << "not known to be missing";
  EXPECT_EQ(read(*store, "one"), "one");
  EXPECT_TRUE(must(store->contains(digest_of("one"))));
}

TEST_F(ChunkStores, RebuildLeavesTheTableThatAnotherAddsMeanwhile) {
  put(*another(), {"one"});
  // Another process captures when we have listed the packs and not yet removed the old tables.
  const auto racing = meddled(blob::Call::put, "index/", [this] { put(*another(), {"two"}); });
  must(another(*racing)->rebuild_index());
  const auto store = another();
  EXPECT_EQ(read(*store, "one"), "one");
  EXPECT_EQ(read(*store, "two"), "two");
  EXPECT_FALSE(store->index_was_rebuilt());
}

TEST_F(ChunkStores, RebuildReadsFootersOnly) {
  const auto writer = another();
  ChunkWriter chunks(*writer);
  Bytes chunk = random_bytes(500'000);
  for (std::uint8_t i = 0; i < 20; ++i) {
    chunk[0] = std::byte{i};
    must(chunks.put(ChunkKind::data, chunk));
  }
  must(chunks.flush());
  blob::CountingStore counting(objects);
  must(another(counting)->rebuild_index());
  EXPECT_LT(counting.counts().bytes_read, 100'000u);
  // A footer of more entries than are read at the first try.
  ChunkWriter many(*writer);
  for (int i = 0; i < 3000; ++i) must(many.put(ChunkKind::data, as_bytes(concat("small ", i))));
  must(many.flush());
  const auto store = another();
  must(store->rebuild_index());
  EXPECT_EQ(all_chunks(*store).size(), 3020u);
}

TEST_F(ChunkStores, AnIndexThatLiesAboutALengthIsNotFollowed) {
  put(*another(), {"one"});
  auto chunks = all_chunks(*another());
  chunks.at(0).location.stored_length = 0xffff'ffff;
  const Bytes lie = build_index(chunks);
  for (const std::string& key : keys_of(objects, k_index_prefix)) must(objects.remove(key));
  must(blob::put(objects, index_key(Sha256::of(lie)), lie));
  EXPECT_EQ(code_of(another()->read(digest_of("one"))), Code::corrupt);
  const SystemClock clock;
  const auto repository = must(Repository::open(objects, clock, {}));
  EXPECT_TRUE(must(verify(*repository, {})).index_rebuilt);
  EXPECT_EQ(read(*another(), "one"), "one");
}

TEST_F(ChunkStores, DamagedTableAmongManyIsRebuiltWhenItIsMerged) {
  for (int i = 0; i < 8; ++i) put(*another(), {concat("chunk ", i)});
  flip(objects, keys_of(objects, k_index_prefix).at(4), 200);
  put(*another(), {"the ninth"});
  const auto store = another();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(read(*store, concat("chunk ", i)), concat("chunk ", i));
  EXPECT_EQ(read(*store, "the ninth"), "the ninth");
}

TEST_F(ChunkStores, AFailedMergeIsANoticeOnly) {
  for (int i = 0; i < 8; ++i) put(*another(), {concat("chunk ", i)});
  blob::FaultStore faulty(objects, [](blob::Call call, std::string_view, std::uint64_t) -> std::optional<blob::Fault> {
    if (call != blob::Call::remove) return {};
    return blob::Fault{{Code::denied, "nothing may be removed here"}};
  });
  put(*another(faulty), {"the ninth"});
  EXPECT_EQ(notices.size(), 1u);
  const auto store = another();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(read(*store, concat("chunk ", i)), concat("chunk ", i));
}

TEST_F(ChunkStores, ChunksOfAPackWithADamagedFooterCanStillBeRead) {
  put(*another(), {"one", "two"});
  put(*another(), {"three"});
  const std::string pack = pack_of("one");
  flip(objects, pack, must(objects.stat(pack)).size - 1);
  const auto store = another();
  must(store->rebuild_index());
  EXPECT_EQ(read(*store, "one"), "one");
  EXPECT_EQ(read(*another(), "two"), "two");
  // But nobody relies on them: the next capture stores them again.
  EXPECT_FALSE(must(store->contains(digest_of("one"))));
  put(*another(), {"one"});
  EXPECT_TRUE(must(another()->contains(digest_of("one"))));
  EXPECT_NE(pack_of("one"), pack);
}

TEST_F(ChunkStores, PreferTheSoundCopy) {
  put_shared_twice();
  EXPECT_EQ(keys_of(objects, k_pack_prefix).size(), 2u);
  for (const std::string& damaged : keys_of(objects, k_pack_prefix)) {
    flip(objects, damaged, k_pack_header_size);
    const auto store = another();
    must(store->rebuild_index([&](const Digest& pack, const PackEntry& entry) {
      return pack_key(pack) == damaged && entry.digest == digest_of("shared");
    }));
    EXPECT_EQ(read(*store, "shared"), "shared");
    EXPECT_TRUE(must(another()->contains(digest_of("shared"))));
    flip(objects, damaged, k_pack_header_size);
  }
}

TEST_F(ChunkStores, ReadTheOtherCopyOfADamagedOne) {
  put_shared_twice();
  const auto packs = keys_of(objects, k_pack_prefix);
  ASSERT_EQ(packs.size(), 2u);
  for (const std::string& damaged : packs) {
    flip(objects, damaged, k_pack_header_size);
    EXPECT_EQ(read(*another(), "shared"), "shared");
    EXPECT_EQ(read_all(*another(), {"shared", "of the first"}), "sharedof the first");
    flip(objects, damaged, k_pack_header_size);
  }
  for (const std::string& damaged : packs) flip(objects, damaged, k_pack_header_size);
  EXPECT_EQ(code_of(another()->read(digest_of("shared"))), Code::corrupt);
}

// "one" is marked as suspect by another process.
void mark_suspect(ChunkStore& store, std::string_view text) {
  must(store.rebuild_index([&](const Digest&, const PackEntry& entry) { return entry.digest == digest_of(text); }));
}

TEST_F(ChunkStores, ALongRunDoesNotBringBackAReplacedTable) {
  const auto old = another();
  put(*old, {"one"});
  mark_suspect(*another(), "one");
  for (int i = 0; i < 20; ++i) put(*old, {concat("chunk ", i)});
  EXPECT_FALSE(must(another()->contains(digest_of("one"))));
}

TEST_F(ChunkStores, SuspectMarksOutliveARebuild) {
  put(*another(), {"one"});
  put(*another(), {"two"});
  mark_suspect(*another(), "one");
  const std::string marked = keys_of(objects, k_index_prefix).at(0);
  put(*another(), {"three"});
  for (const std::string& key : keys_of(objects, k_index_prefix))
    if (key != marked) flip(objects, key, 0);
  const auto store = another();
  EXPECT_TRUE(must(store->contains(digest_of("three"))));
  EXPECT_TRUE(store->index_was_rebuilt());
  EXPECT_FALSE(must(store->contains(digest_of("one"))));
  EXPECT_TRUE(must(store->contains(digest_of("two"))));
  EXPECT_NE(must(store->suspects()), 0u);
  // Stored again, also in its old place, it is sound, and stays so.
  put(*another(), {"one"});
  EXPECT_TRUE(must(another()->contains(digest_of("one"))));
  must(another()->rebuild_index());
  EXPECT_TRUE(must(another()->contains(digest_of("one"))));
  EXPECT_EQ(must(another()->suspects()), 0u);
}

TEST_F(ChunkStores, SuspectsTellOneDamageFromAnother) {
  put(*another(), {"one", "two"});
  EXPECT_EQ(must(another()->suspects()), 0u);
  const auto old = another();
  must(old->contains(digest_of("one")));
  mark_suspect(*another(), "one");
  const std::uint64_t one = must(old->suspects());
  EXPECT_NE(one, 0u);
  mark_suspect(*another(), "two");
  EXPECT_NE(must(old->suspects()), one);
  EXPECT_NE(must(old->suspects()), 0u);
}

// A store that may only be read, until it may be written.
struct ReadOnlyStores : ChunkStores {
  bool locked = true;
  blob::FaultStore read_only{objects,
                             [this](blob::Call call, std::string_view, std::uint64_t) -> std::optional<blob::Fault> {
                               if (!locked || (call != blob::Call::put && call != blob::Call::remove)) return {};
                               return blob::Fault{{Code::denied, "nothing may be written here"}};
                             }};
};

TEST_F(ReadOnlyStores, AreReadWithADamagedIndex) {
  put(*another(), {"one"});
  put(*another(), {"two"});
  flip(objects, keys_of(objects, k_index_prefix).at(0), 0);
  const auto store = another(read_only);
  EXPECT_EQ(read(*store, "one"), "one");
  EXPECT_EQ(notices.size(), 2u);
  EXPECT_FALSE(store->index_was_rebuilt());
  EXPECT_EQ(code_of(store->read(digest_of("three"))), Code::corrupt) << "listed again, not rebuilt again";
  EXPECT_EQ(read(*store, "two"), "two");
  EXPECT_EQ(notices.size(), 2u);
  put(*another(), {"three"});
  EXPECT_EQ(read(*store, "three"), "three");
}

TEST_F(ReadOnlyStores, FailAWriterUntilTheIndexIsWhole) {
  put(*another(), {"one"});
  must(objects.remove(keys_of(objects, k_index_prefix).at(0)));
  const auto store = another(read_only);
  EXPECT_EQ(read(*store, "one"), "one");
  ChunkWriter writer(*store);
  must(writer.put(ChunkKind::data, as_bytes("two")));
  EXPECT_EQ(code_of(writer.flush()), Code::denied);
  locked = false;
  must(writer.flush());
  EXPECT_EQ(read(*another(), "one"), "one");
  EXPECT_EQ(read(*another(), "two"), "two");
}

TEST_F(ChunkStores, AFirstCaptureWithoutAnIndexIsNoDamage) {
  const auto store = another();
  ChunkWriter writer(*store);
  Bytes chunk = random_bytes(4 << 20);
  for (std::uint8_t i = 0; i < 9; ++i) {
    chunk[0] = std::byte{i};
    must(writer.put(ChunkKind::data, chunk));
  }
  chunk[0] = std::byte{0};
  must(writer.read(Sha256::of(chunk)));  // waits for its pack
  ASSERT_FALSE(keys_of(objects, k_pack_prefix).empty());
  EXPECT_FALSE(must(another()->contains(digest_of("one"))));
  EXPECT_TRUE(notices.empty());
  must(writer.flush());
  EXPECT_EQ(all_chunks(*another()).size(), 9u);
  // One that is lost under our eyes is worth a word.
  for (const std::string& key : keys_of(objects, k_index_prefix)) must(objects.remove(key));
  EXPECT_EQ(code_of(store->read(digest_of("one"))), Code::corrupt);
  EXPECT_EQ(notices.size(), 1u);
}

TEST_F(ChunkStores, OneObjectThatMayNotBeReadIsDamageOfThatObject) {
  put(*another(), {"one"});
  put(*another(), {"two"});
  std::string locked = pack_of("one");
  blob::FaultStore faulty(objects,
                          [&](blob::Call call, std::string_view key, std::uint64_t) -> std::optional<blob::Fault> {
                            if (call != blob::Call::get || key != locked) return {};
                            return blob::Fault{{Code::denied, "a locked object"}};
                          });
  EXPECT_EQ(code_of(another(faulty)->read(digest_of("one"))), Code::corrupt);
  must(another(faulty)->rebuild_index());
  EXPECT_EQ(read(*another(faulty), "two"), "two");
  EXPECT_FALSE(must(another(faulty)->contains(digest_of("one"))));
  must(another()->rebuild_index([](const Digest&, const PackEntry&) { return false; }));
  put(*another(), {"three"});
  // An index object that we may not read may be whole: it stays for those who may.
  locked = keys_of(objects, k_index_prefix).at(0);
  for (const std::string_view text : {"one", "two", "three"}) EXPECT_EQ(read(*another(faulty), text), text);
  EXPECT_TRUE(objects.stat(locked).has_value());
}

TEST_F(ChunkStores, StrangersFilesAreLeftAlone) {
  must(blob::put(objects, "index/README", as_bytes("not an index")));
  must(blob::put(objects, "packs/README", as_bytes("not a pack")));
  put(*another(), {"one"});
  EXPECT_EQ(read(*another(), "one"), "one");
  must(another()->rebuild_index());
  EXPECT_EQ(read(*another(), "one"), "one");
  EXPECT_TRUE(objects.stat("index/README").has_value());
}

TEST_F(ChunkStores, ANewerTableIsRefusedAndStays) {
  put(*another(), {"one"});
  const std::string key = keys_of(objects, k_index_prefix).at(0);
  Bytes bytes = must(objects.get(key, {}));
  std::byte* const trailer = bytes.data() + bytes.size() - 64;
  trailer[8] = std::byte{3};
  const std::uint64_t sum = XXH3_64bits(trailer, 56);
  for (std::size_t i = 0; i < 8; ++i) trailer[56 + i] = static_cast<std::byte>(sum >> (8 * i));
  must(blob::put(objects, key, bytes));
  EXPECT_EQ(code_of(another()->read(digest_of("one"))), Code::unsupported);
  EXPECT_TRUE(must(objects.get(key, {})) == bytes);
}

TEST_F(ChunkStores, ServeManyThreads) {
  const auto store = another();
  const auto outsider = another();
  constexpr int k_threads = 4;
  constexpr int k_rounds = 30;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < k_threads; ++thread)
      threads.emplace_back([&, thread] {
        for (int round = 0; round < k_rounds; ++round) {
          put(*store, {concat("shared ", round), concat("of ", thread, " in ", round)});
          EXPECT_EQ(read(*store, concat("shared ", round)), concat("shared ", round));
          if (round % 10 == thread) must(store->rebuild_index());
          if (round % 10 == thread + 5) store->forget();
        }
      });
    threads.emplace_back([&] {
      for (int round = 0; round < k_rounds; ++round) put(*outsider, {concat("outside ", round)});
    });
  }
  const auto later = another();
  for (int round = 0; round < k_rounds; ++round) {
    EXPECT_EQ(read(*later, concat("outside ", round)), concat("outside ", round));
    for (int thread = 0; thread < k_threads; ++thread)
      EXPECT_EQ(read(*later, concat("of ", thread, " in ", round)), concat("of ", thread, " in ", round));
  }
}

}  // namespace
}  // namespace studio::content
