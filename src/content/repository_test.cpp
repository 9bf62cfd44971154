#include "content/repository.hpp"

#include <thread>

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

struct Repositories : testing::Test {
  Repositories() {
    make_directory(source + "/d");
    write_text(source + "/d/one", random_text(60'000, 1));
    write_text(source + "/two", random_text(500, 2));
  }
  Lab lab;
  std::string source = lab.scratch / "source";
};

TEST_F(Repositories, NewStoreGetsItsSettingsOnce) {
  EXPECT_EQ(keys_of(lab.objects, ""), std::vector<std::string>{"studio.json"});
  const std::string id = lab.repository->id();
  EXPECT_EQ(id.size(), 10u);
  const Bytes settings = must(lab.objects.get("studio.json", {}));
  lab.open(lab.objects);
  EXPECT_EQ(lab.repository->id(), id);
  EXPECT_EQ(must(lab.objects.get("studio.json", {})), settings);
}

TEST_F(Repositories, NewerFormatIsRefusedAndNothingIsWritten) {
  for (const char* text :
       {R"({"format": 2})", R"({"format": 99, "id": 5})",
        R"({"format": 1, "id": "x", "hash": "blake3", "chunker": {"algorithm": "gear16-fastcdc"}})"}) {
    blob::MemoryStore objects;
    must(blob::put(objects, "studio.json", as_bytes(text)));
    blob::CountingStore counting(objects);
    EXPECT_EQ(code_of(Repository::open(counting, lab.clock, {})), Code::unsupported) << text;
    EXPECT_EQ(counting.counts().puts + counting.counts().removes, 0u);
  }
}

TEST_F(Repositories, DamagedSettingsAreRefused) {
  const std::string good = to_text(must(lab.objects.get("studio.json", {})));
  for (std::size_t size = 0; size + 2 < good.size(); ++size) {
    blob::MemoryStore objects;
    must(blob::put(objects, "studio.json", as_bytes(std::string_view(good).substr(0, size))));
    EXPECT_EQ(code_of(Repository::open(objects, lab.clock, {})), Code::corrupt);
  }
  for (const char* text : {"[]", "1", R"({"format": "1"})", R"({"format": -1})", R"({"format": 1})"}) {
    blob::MemoryStore objects;
    must(blob::put(objects, "studio.json", as_bytes(text)));
    EXPECT_EQ(code_of(Repository::open(objects, lab.clock, {})), Code::corrupt) << text;
  }
}

TEST_F(Repositories, VersionsArePublishedOnce) {
  const auto version = lab.keep(source, 12);
  EXPECT_EQ(keys_of(lab.objects, k_experiments_prefix), std::vector<std::string>{"experiments/e/artifacts/t/v000012"});
  EXPECT_EQ(manifest_key("e", "t", 1'234'567), "experiments/e/artifacts/t/v1234567");
  must(lab.repository->publish(version));  // as after an answer that was lost
  auto other = version;
  ++other.totals.bytes;
  EXPECT_EQ(code_of(lab.repository->publish(other)), Code::already_exists);
  EXPECT_EQ(must(lab.repository->published()), std::vector{version});
  EXPECT_EQ(must(lab.repository->published("e")), std::vector{version});
  EXPECT_TRUE(must(lab.repository->published("other")).empty());
  must(blob::put(lab.objects, manifest_key("e", "t", 13), as_bytes("{}")));
  EXPECT_EQ(code_of(lab.repository->published()), Code::corrupt);
  std::vector<std::string> damaged;
  EXPECT_EQ(
      must(lab.repository->published({}, [&](const std::string& key, const Error&) { damaged.push_back(key); })).size(),
      1u);
  EXPECT_EQ(damaged, std::vector<std::string>{manifest_key("e", "t", 13)});
}

TEST_F(Repositories, SameContentIsStoredOnce) {
  (void)lab.keep(source, 0);
  const std::string copy = lab.restore(must(lab.repository->published()).at(0));
  const Saved again = lab.save(copy);
  EXPECT_EQ(again.new_bytes, 0u);
  EXPECT_EQ(again.stored_bytes, 0u);
}

TEST_F(Repositories, LostOrDamagedIndexIsRebuilt) {
  const auto version = lab.keep(source, 0);
  const auto expected = describe(source);
  const std::string key = keys_of(lab.objects, k_index_prefix).at(0);
  const Bytes whole = must(lab.objects.get(key, {}));
  for (const std::size_t at : {std::size_t{0}, std::size_t{9}, std::size_t{17}, std::size_t{35}, std::size_t{50},
                               std::size_t{80}, std::size_t{200}, whole.size() - 10}) {
    flip(lab.objects, key, at);
    lab.open(lab.objects);
    EXPECT_EQ(describe(lab.restore(version)), expected) << at;
    EXPECT_TRUE(must(lab.objects.get(key, {})) == whole) << at;  // mended
  }
  must(lab.objects.remove(key));
  lab.notices.clear();
  lab.open(lab.objects);
  EXPECT_EQ(describe(lab.restore(version)), expected);
  EXPECT_TRUE(lab.repository->chunks().index_was_rebuilt());
  EXPECT_EQ(keys_of(lab.objects, k_index_prefix), std::vector<std::string>{key});
  flip(lab.objects, key, 200);
  for (const bool damaged : {true, false}) {
    lab.open(lab.objects);
    const VerifyReport report = must(verify(*lab.repository, {}));
    EXPECT_TRUE(report.ok());
    EXPECT_EQ(report.index_rebuilt, damaged);
  }
}

TEST_F(Repositories, CorruptChunkIsNeverHandedOut) {
  (void)lab.keep(source, 0);
  const auto chunks = all_chunks(lab.repository->chunks());
  for (const IndexedChunk& chunk : chunks) {
    const std::string key = pack_key(chunk.location.pack);
    for (const std::size_t at : {std::size_t{0}, std::size_t{chunk.location.stored_length / 2},
                                 std::size_t{chunk.location.stored_length - 1}}) {
      flip(lab.objects, key, chunk.location.offset + at);
      EXPECT_EQ(code_of(lab.repository->chunks().read(chunk.digest)), Code::corrupt);
      Bytes buffer(chunk.location.raw_length);
      const ChunkRef wanted{chunk.digest, buffer.size()};
      EXPECT_EQ(code_of(lab.repository->chunks().read_into(std::span(&wanted, 1), buffer)), Code::corrupt);
      flip(lab.objects, key, chunk.location.offset + at);
    }
    EXPECT_EQ(Sha256::of(must(lab.repository->chunks().read(chunk.digest))), chunk.digest);
  }
  EXPECT_EQ(code_of(lab.repository->chunks().read(Digest())), Code::corrupt);
}

TEST_F(Repositories, DamagedPackIsMendedByWritingItAgain) {
  const auto version = lab.keep(source, 0);
  const std::string key = keys_of(lab.objects, k_pack_prefix).at(0);
  const Bytes whole = must(lab.objects.get(key, {}));
  must(lab.objects.remove(keys_of(lab.objects, k_index_prefix).at(0)));
  must(os::remove_tree(lab.scratch / "caches"));
  flip(lab.objects, key, whole.size() - 100);
  lab.open(lab.objects);
  (void)lab.save(source);
  EXPECT_TRUE(must(lab.objects.get(key, {})) == whole);
  EXPECT_EQ(describe(lab.restore(version)), describe(source));
}

TEST_F(Repositories, FullStoreFailsCleanly) {
  blob::FaultStore full(lab.objects,
                        [](blob::Call call, std::string_view key, std::uint64_t) -> std::optional<blob::Fault> {
                          if (call != blob::Call::put || key == "studio.json") return std::nullopt;
                          return blob::Fault{{Code::exhausted, "disk full"}};
                        });
  const auto repository = must(Repository::open(full, lab.clock, {}));
  EXPECT_EQ(code_of(repository->save({.path = source})), Code::exhausted);
  EXPECT_TRUE(keys_of(lab.objects, k_pack_prefix).empty());
}

TEST_F(Repositories, OpenedByManyAtOnceAreOne) {
  // Another process makes the store between our look and our writing.
  blob::MemoryStore objects;
  std::string others_id;
  blob::FaultStore racing(objects, [&](blob::Call call, std::string_view, std::uint64_t) -> std::optional<blob::Fault> {
    if (call == blob::Call::put && others_id.empty()) others_id = must(Repository::open(objects, lab.clock, {}))->id();
    return {};
  });
  EXPECT_EQ(must(Repository::open(racing, lab.clock, {}))->id(), others_id);

  blob::MemoryStore fresh;
  std::vector<std::string> ids(8);
  {
    std::vector<std::jthread> threads;
    for (std::string& id : ids) threads.emplace_back([&] { id = must(Repository::open(fresh, lab.clock, {}))->id(); });
  }
  EXPECT_EQ(std::count(ids.begin(), ids.end(), ids.front()), 8);
}

TEST_F(Repositories, SettingsOutOfRangeAreDamage) {
  const std::string good = to_text(must(lab.objects.get("studio.json", {})));
  const auto with = [&](std::string_view field, std::string_view value) {
    std::string text = good;
    const std::size_t at = text.find(concat("\"", field, "\": ")) + field.size() + 4;
    text.replace(at, text.find_first_of(",\n", at) - at, value);
    must(blob::put(lab.objects, "studio.json", as_bytes(text)));
    return Repository::open(lab.objects, lab.clock, {});
  };
  EXPECT_TRUE(with("minimum", "16384").has_value());
  EXPECT_EQ(code_of(with("minimum", "4294983680")), Code::corrupt) << "16384 + 2^32";
  EXPECT_EQ(code_of(with("minimum", "-16384")), Code::corrupt);
  EXPECT_EQ(code_of(with("minimum", "16384.5")), Code::corrupt);
  EXPECT_EQ(code_of(with("maximum", "\"196608\"")), Code::corrupt);
  EXPECT_EQ(code_of(with("maximum", "16777216")), Code::corrupt);
  EXPECT_EQ(code_of(with("strict_mask", "65537")), Code::corrupt);
  EXPECT_EQ(code_of(with("loose_mask", "0")), Code::corrupt);
  EXPECT_EQ(code_of(with("id", "\"../x\"")), Code::corrupt);
}

TEST_F(Repositories, AStoreThatCannotBeReachedIsNotTakenForANewOne) {
  blob::MemoryStore objects;
  blob::FaultStore faulty(objects, blob::fail_call(1, {{Code::unavailable, "the connection was lost"}}));
  EXPECT_EQ(code_of(Repository::open(faulty, lab.clock, {})), Code::unavailable);
  EXPECT_TRUE(keys_of(objects, "").empty());
}

TEST_F(Repositories, NothingIsPublishedUnderANameThatIsNone) {
  for (const std::string& name : {std::string(), std::string("../x"), std::string("a/b"), std::string(101, 'x')}) {
    EXPECT_EQ(code_of(lab.repository->publish({.experiment = name, .tag = "t"})), Code::invalid) << name;
    EXPECT_EQ(code_of(lab.repository->publish({.experiment = "e", .tag = name})), Code::invalid) << name;
  }
  EXPECT_TRUE(keys_of(lab.objects, k_experiments_prefix).empty());
}

TEST_F(Repositories, ManifestsThatCannotBeReachedAreNotDamaged) {
  (void)lab.keep(source, 0);
  blob::FaultStore faulty(lab.objects,
                          [](blob::Call call, std::string_view key, std::uint64_t) -> std::optional<blob::Fault> {
                            if (call != blob::Call::get || !key.starts_with(k_experiments_prefix)) return {};
                            return blob::Fault{{Code::unavailable, "the connection was lost"}};
                          });
  const auto published =
      must(Repository::open(faulty, lab.clock, {}))->published({}, [](const std::string&, const Error&) {
        ADD_FAILURE() << "called damaged";
      });
  EXPECT_EQ(code_of(published), Code::unavailable);
}

// A store that was copied has the same id. Both go on, and both make a v1; what the cache knows of one is not in the
// other.
TEST_F(Repositories, CacheOfACopiedStoreIsNotUsed) {
  const auto first = lab.keep(source, 0);
  blob::MemoryStore copy;
  copy_objects(lab.objects, copy);
  write_text(source + "/two", random_text(700, 77));
  const auto second = lab.keep(source, 1, &first);

  const std::string other_source = lab.scratch / "other";
  make_directory(other_source);
  write_text(other_source + "/x", "the copy's own version 1");
  lab.open(copy);
  (void)lab.keep(other_source, 1);
  const auto third = lab.keep(source, 2, &first);
  EXPECT_EQ(third.root, second.root);
  EXPECT_TRUE(must(verify(*lab.repository, {})).ok());
  EXPECT_EQ(describe(lab.restore(third)), describe(source));
}

TEST_F(Repositories, ADamagedVersionDoesNotKeepTheNextFromBeingSaved) {
  const auto first = lab.keep(source, 0);
  const TreeEntry directory = must(find_entry(lab.repository->chunks(), first.root, "d"));
  write_text(source + "/d/more", "x");
  for (const IndexedChunk& chunk : all_chunks(lab.repository->chunks()))
    if (chunk.digest == directory.content.digest)
      flip(lab.objects, pack_key(chunk.location.pack), chunk.location.offset);
  lab.notices.clear();
  const auto second = lab.keep(source, 1, &first);
  EXPECT_EQ(lab.notices.size(), 1u);
  EXPECT_EQ(describe(lab.restore(second)), describe(source));
}

TEST_F(Repositories, TheModeOfTheDirectoryItselfIsAChange) {
  const auto first = lab.keep(source, 0);
  must_be_zero(::chmod(source.c_str(), 0700));
  EXPECT_TRUE(lab.save(source, &first).changed);
}

}  // namespace
}  // namespace studio::content
