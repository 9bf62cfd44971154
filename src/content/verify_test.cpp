#include "content/verify.hpp"

#include "blob/local.hpp"
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
    for (const IndexedChunk& chunk : all_chunks(lab.repository->chunks()))
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
  EXPECT_EQ(result.chunks, all_chunks(lab.repository->chunks()).size());
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
  // The next capture stores the chunk again, which mends all versions.
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

TEST_F(Verifying, APackLargerThanAnyIsNotRead) {
  const std::string key = pack_key(Sha256::of(as_bytes("large")));
  must(blob::put(lab.objects, key, Bytes(k_most_pack + 1)));
  const VerifyReport result = report();
  ASSERT_EQ(result.damages.size(), 1u);
  EXPECT_EQ(result.damages[0].object, key);
  EXPECT_EQ(result.damages[0].problem, "it is larger than a pack can be");
}

// In a pack that is there, but no chunk of it: what would be captured must not be taken for stored.
TEST_F(Verifying, AnIndexThatNamesWhatIsNowhereIsBuiltAnew) {
  IndexedChunk lie = all_chunks(lab.repository->chunks()).at(0);
  lie.digest = Sha256::of(as_bytes("nowhere"));
  const Bytes table = build_index({lie});
  must(blob::put(lab.objects, index_key(Sha256::of(table)), table));
  const VerifyReport result = report();
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(result.index_rebuilt);
  EXPECT_FALSE(must(lab.repository->chunks().contains(lie.digest)));
  EXPECT_FALSE(report().index_rebuilt);
}

// Two writers that did not know of each other: the index names one place of it.
TEST_F(Verifying, AChunkThatLiesInTwoPacksIsSound) {
  const auto chunks = all_chunks(lab.repository->chunks());
  PackBuilder pack;
  const Bytes bytes = must(lab.repository->chunks().read(chunks.at(0).digest));
  pack.add(chunks[0].digest, ChunkKind::data, bytes);
  must(lab.repository->chunks().put_pack(pack));
  const VerifyReport result = report();
  EXPECT_TRUE(result.ok());
  EXPECT_FALSE(result.index_rebuilt);
  EXPECT_EQ(result.chunks, chunks.size() + 1);
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

  // Another process goes on.
  write_text(source + "/three", random_text(40'000, 1000));
  const auto another = must(Repository::open(lab.objects, lab.clock, {}));
  must(another->publish(Lab::version_of(must(another->save({.path = source})), 2)));
  const StoreStats later = must(measure(*lab.repository));
  EXPECT_EQ(later.versions, 3u);
  EXPECT_GT(later.unique_bytes, stats.unique_bytes + 40'000u);
}

TEST_F(Verifying, WhatIsCapturedMeanwhileIsNoDamage) {
  for (const blob::Call wanted : {blob::Call::list, blob::Call::get}) {
    const std::uint64_t calls = [&] {
      blob::FaultStore counting(lab.objects, blob::fail_call(0, {}));
      const auto repository = must(Repository::open(counting, lab.clock, {}));
      must(verify(*repository, {}));
      return counting.calls();
    }();
    for (std::uint64_t number = 2; number <= calls; ++number) {
      blob::MemoryStore objects;
      copy_objects(lab.objects, objects);
      const auto capture = [&] {
        write_text(source + "/three", random_text(40'000, 1000 + number));
        const auto repository = must(Repository::open(objects, lab.clock, {}));
        must(repository->publish(Lab::version_of(must(repository->save({.path = source})), 2)));
      };
      blob::FaultStore racing(objects,
                              [&](blob::Call call, std::string_view, std::uint64_t at) -> std::optional<blob::Fault> {
                                if (call == wanted && at == number) capture();
                                return {};
                              });
      const auto repository = must(Repository::open(racing, lab.clock, {}));
      const VerifyReport result = must(verify(*repository, {}));
      EXPECT_TRUE(result.ok()) << number << ": " << result.damages.front().object << ": "
                               << result.damages.front().problem;
    }
  }
}

TEST_F(Verifying, AChunkThatIsSoundAgainIsReliedOnAgain) {
  const auto [key, offset] = place_of("two");
  const Digest digest = must(find_entry(lab.repository->chunks(), second.root, "two")).content.digest;
  flip(lab.objects, key, offset);
  EXPECT_FALSE(report().ok());
  EXPECT_FALSE(must(lab.repository->chunks().contains(digest)));
  EXPECT_FALSE(report().index_rebuilt) << "once is enough";
  flip(lab.objects, key, offset);
  EXPECT_EQ(Sha256::of(must(lab.repository->chunks().read(digest))), digest) << "also before it is verified";
  EXPECT_TRUE(report().ok());
  EXPECT_TRUE(must(lab.repository->chunks().contains(digest)));
}

TEST_F(Verifying, WhatWasInAMissingPackIsStoredAgain) {
  must(lab.objects.remove(place_of("three").first));
  EXPECT_FALSE(report().ok());
  EXPECT_FALSE(report().ok()) << "also when its chunks are suspect already";
  Saved again = lab.save(source, &second);
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.tree.root, second.root);
  EXPECT_EQ(again.new_bytes, 40'000u);
  EXPECT_TRUE(report().ok());
  EXPECT_EQ(describe(lab.restore(second)), describe(source));
  // What the capture learnt is trusted until more damage is found.
  lab.repository->remember(again, source, second);
  lab.clock.asked = 0;
  (void)lab.save(source, &second);
  EXPECT_EQ(lab.clock.asked, 0);
}

TEST_F(Verifying, WhatIsInAPackWithADamagedHeaderIsStoredAgain) {
  const std::string key = place_of("three").first;
  flip(lab.objects, key, 3);
  const VerifyReport result = report();
  ASSERT_EQ(result.damages.size(), 1u);
  EXPECT_EQ(result.damages[0].affected, std::vector<std::string>{"e/t@v1: (all)"});
  EXPECT_FALSE(report().index_rebuilt) << "once is enough";
  EXPECT_EQ(lab.save(source, &second).new_bytes, 40'000u);
  EXPECT_EQ(describe(lab.restore(second)), describe(source));
  for (const Damage& damage : report().damages) EXPECT_TRUE(damage.affected.empty()) << damage.object;
}

TEST_F(Verifying, DamageThatIsFoundDuringALongRunVoidsItsCache) {
  const auto other = must(Repository::open(lab.objects, lab.clock, {}));
  must(lab.objects.remove(place_of("three").first));
  EXPECT_FALSE(must(verify(*other, {})).ok());
  EXPECT_EQ(lab.save(source, &second).new_bytes, 40'000u);
  EXPECT_EQ(describe(lab.restore(second)), describe(source));
}

// A bad sector, or an object of another user's.
TEST_F(Verifying, ObjectsThatCannotBeReadAreDamaged) {
  const std::string pack = place_of("three").first;
  const std::string manifest = manifest_key("e", "t", 0);
  for (const std::string& key : keys_of(lab.objects, k_index_prefix)) flip(lab.objects, key, 0);
  write_text(source + "/three", random_text(40'000, 4));
  for (const Code code : {Code::corrupt, Code::denied}) {
    blob::MemoryStore objects;
    copy_objects(lab.objects, objects);
    blob::FaultStore faulty(objects,
                            [&](blob::Call call, std::string_view key, std::uint64_t) -> std::optional<blob::Fault> {
                              if (call != blob::Call::get || (key != pack && key != manifest)) return {};
                              return blob::Fault{{code, "it cannot be read"}};
                            });
    lab.open(faulty);
    const VerifyReport result = must(verify(*lab.repository, {}));
    ASSERT_EQ(result.damages.size(), 2u);
    EXPECT_EQ(result.damages[0].object, manifest);
    EXPECT_EQ(result.damages[1].object, pack);
    EXPECT_EQ(result.damages[1].affected, std::vector<std::string>{"e/t@v1: (all)"});
    EXPECT_TRUE(lab.save(source, &second).changed);
  }
}

TEST_F(Verifying, ADiskThatCannotReadIsReported) {
  const auto objects = must(blob::LocalStore::open({lab.scratch / "store"}));
  lab.open(*objects);
  (void)lab.keep(source, 0);
  lab.repository->chunks().forget();
  for (const unsigned error : {unsigned{EIO}, unsigned{EBADMSG}, unsigned{EUCLEAN}}) {
    const auto result = with_failing_call(SYS_pread64, error, [&] { return must(verify(*lab.repository, {})); });
    EXPECT_EQ(result.damages.size(), 2u) << error;
  }
  EXPECT_EQ(with_failing_call(SYS_pread64, ESTALE, [&] { return code_of(verify(*lab.repository, {})); }),
            Code::unavailable);
  EXPECT_TRUE(must(verify(*lab.repository, {})).ok());
}

TEST_F(Verifying, TwoPacksWithDamagedFootersAreToldApart) {
  const std::string first_pack = place_of("two").first;
  const std::string second_pack = place_of("three").first;
  ASSERT_NE(first_pack, second_pack);
  for (const std::string& key : {first_pack, second_pack}) flip(lab.objects, key, must(lab.objects.stat(key)).size - 1);
  const VerifyReport result = report();
  ASSERT_EQ(result.damages.size(), 2u);
  for (const Damage& damage : result.damages) {
    const bool is_second = damage.object == second_pack;
    EXPECT_FALSE(damage.affected.empty());
    for (const std::string& text : damage.affected)
      EXPECT_TRUE(is_second ? text.starts_with("e/t@v1") : true) << damage.object << ": " << text;
  }
}

TEST_F(Verifying, AStoreThatCannotBeReachedIsNotDamaged) {
  const std::uint64_t calls = [&] {
    blob::FaultStore counting(lab.objects, blob::fail_call(0, {}));
    must(verify(*must(Repository::open(counting, lab.clock, {})), {}));
    return counting.calls();
  }();
  for (std::uint64_t number = 2; number <= calls; ++number) {
    blob::FaultStore faulty(lab.objects, blob::fail_call(number, {{Code::unavailable, "the connection was lost"}}));
    const auto repository = must(Repository::open(faulty, lab.clock, {}));
    EXPECT_EQ(code_of(verify(*repository, {})), Code::unavailable) << number;
  }
}

TEST_F(Verifying, ATreeThatRefersToItselfManyTimesIsWalkedOnce) {
  ChunkWriter writer(lab.repository->chunks());
  const auto put = [&](const std::vector<TreeEntry>& entries) {
    ByteWriter listing;
    append_tree_header(listing);
    for (const TreeEntry& entry : entries) append_entry(listing, entry);
    ContentWriter content(writer, k_tiny, ChunkKind::metadata);
    must(content.write(listing.view()));
    return must(content.finish());
  };
  ContentRef root = put({{.type = EntryType::fifo, .name = "leaf"}});
  for (int level = 0; level < 50; ++level)
    root = put({{.type = EntryType::directory, .name = "a", .content = root},
                {.type = EntryType::directory, .name = "b", .content = root}});
  must(writer.flush());
  model::Version version{.experiment = "e", .tag = "bomb", .root = root};
  must(lab.repository->publish(version));
  const VerifyReport result = report();
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.versions, 3u);
}

TEST_F(Verifying, AContentThatAReaderRefusesIsDamage) {
  ChunkWriter writer(lab.repository->chunks());
  const auto list_of = [&](std::uint8_t level, const std::vector<ContentRef>& entries) {
    ByteWriter list;
    list.u8('L');
    list.u8(level);
    list.varint(entries.size());
    ContentRef whole{.level = level};
    for (const ContentRef& entry : entries) {
      list.digest(entry.digest);
      list.varint(entry.size);
      whole.size += entry.size;
    }
    whole.digest = must(writer.put(ChunkKind::metadata, list.view()));
    return whole;
  };
  const ContentRef good{.size = 3, .digest = must(writer.put(ChunkKind::data, as_bytes("abc")))};
  ContentRef shorter = good;
  shorter.size = 2;
  ContentRef deep = good;
  for (std::uint8_t level = 1; level <= 13; ++level) deep = list_of(level, {deep});
  ContentRef empty = good;
  empty.size = 0;
  const std::vector<ContentRef> contents{
      shorter,
      list_of(1, {good, shorter}),
      list_of(1, {good, empty}),
      deep,
      {.size = 3, .level = 1, .digest = good.digest},
  };
  for (const ContentRef& content : contents) {
    ByteWriter listing;
    append_tree_header(listing);
    append_entry(listing, {.type = EntryType::file, .name = "f", .size = content.size, .content = content});
    append_entry(listing, {.type = EntryType::file, .name = "good", .size = good.size, .content = good});
    ContentWriter tree(writer, k_tiny, ChunkKind::metadata);
    must(tree.write(listing.view()));
    const ContentRef root = must(tree.finish());
    must(writer.flush());
    EXPECT_EQ(code_of(read_content(lab.repository->chunks(), content, 1 << 20)), Code::corrupt);
    blob::MemoryStore objects;
    copy_objects(lab.objects, objects);
    const auto repository = must(Repository::open(objects, lab.clock, {}));
    must(repository->publish({.experiment = "e", .tag = "lying", .root = root}));
    const VerifyReport result = must(verify(*repository, {}));
    ASSERT_EQ(result.damages.size(), 1u);
    EXPECT_EQ(result.damages[0].affected, std::vector<std::string>{"e/lying@v0: f"});
  }
}

}  // namespace
}  // namespace studio::content
