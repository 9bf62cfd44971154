#include "content/admission.hpp"

#include <gtest/gtest.h>

#include "base/concat.hpp"
#include "blob/memory.hpp"
#include "content/index_table.hpp"
#include "content/pack.hpp"
#include "contract/contract.hpp"

namespace studio::content {
namespace {

using test::expect_code;

class AdmissionTest : public ::testing::Test {
 protected:
  struct Pack {
    Digest name;
    Bytes object;
    std::vector<PackEntry> entries;
  };

  static Pack pack_of(std::initializer_list<std::string> chunks) {
    PackBuilder builder;
    for (const std::string& chunk : chunks) builder.add(Sha256::of(as_bytes(chunk)), ChunkKind::data, as_bytes(chunk));
    Pack pack{.name = {}, .object = {}, .entries = builder.entries()};
    const PackBuilder::Finished finished = builder.finish();
    pack.name = finished.name;
    for (const ByteView part : {builder.body(), ByteView(finished.footer)})
      pack.object.insert(pack.object.end(), part.begin(), part.end());
    return pack;
  }

  // Of chunks of the pack, as it is in the store or not.
  static std::vector<IndexedChunk> chunks_of(const Pack& pack) {
    std::vector<IndexedChunk> chunks;
    for (const PackEntry& entry : pack.entries)
      chunks.push_back({entry.digest, {pack.name, entry.offset, entry.stored_length, entry.raw_length, entry.codec}});
    return chunks;
  }

  void put(const std::string& key, ByteView object) { ASSERT_TRUE(blob::put(store_, key, object)); }
  std::string put_table(const std::vector<IndexedChunk>& chunks) {
    const Bytes table = build_index(chunks);
    const std::string key = index_key(Sha256::of(table));
    put(key, table);
    return key;
  }
  Result<void> admit(const std::vector<IndexedChunk>& chunks) {
    const Bytes table = build_index(chunks);
    return admit_table(store_, index_key(Sha256::of(table)), table);
  }

  blob::MemoryStore store_;
};

TEST_F(AdmissionTest, APackIsWhatItSays) {
  Pack pack = pack_of({"one", "two"});
  const std::string key = pack_key(pack.name);
  EXPECT_TRUE(admit_pack(key, pack.object));
  expect_code(admit_pack(pack_key(Sha256::of(as_bytes("other"))), pack.object), Code::invalid);
  expect_code(admit_pack("packs/aa/bb", pack.object), Code::invalid);
  expect_code(admit_pack(key, ByteView(pack.object).first(pack.object.size() - 1)), Code::invalid);
  expect_code(admit_pack(key, {}), Code::invalid);
  // A chunk that is not what its digest says, in an otherwise perfect pack.
  for (std::size_t at = 0; at < pack.object.size(); ++at) {
    pack.object[at] ^= std::byte{1};
    expect_code(admit_pack(key, pack.object), Code::invalid);
    pack.object[at] ^= std::byte{1};
  }
}

TEST_F(AdmissionTest, ATableNamesWhatThereIs) {
  const Pack pack = pack_of({"one", "two"});
  auto chunks = chunks_of(pack);
  expect_code(admit(chunks), Code::invalid);  // the pack is not there
  put(pack_key(pack.name), pack.object);
  EXPECT_TRUE(admit(chunks));
  EXPECT_TRUE(admit({}));
  EXPECT_TRUE(admit({chunks[1]}));
  for (const auto& change : std::initializer_list<void (*)(IndexedChunk&)>{
           [](IndexedChunk& chunk) { chunk.digest = Sha256::of(as_bytes("three")); },
           [](IndexedChunk& chunk) { chunk.location.pack = Sha256::of(as_bytes("none")); },
           [](IndexedChunk& chunk) { ++chunk.location.offset; },
           [](IndexedChunk& chunk) { --chunk.location.stored_length; },
           [](IndexedChunk& chunk) { ++chunk.location.raw_length; }}) {
    auto wrong = chunks;
    change(wrong[0]);
    expect_code(admit(wrong), Code::invalid);
  }
  const Bytes table = build_index(chunks);
  expect_code(admit_table(store_, index_key(pack.name), table), Code::invalid);  // under another name
  expect_code(admit_table(store_, index_key(Sha256::of(as_bytes("x"))), as_bytes("x")), Code::invalid);
}

TEST_F(AdmissionTest, ATableGoesIfOthersNameAllOfIt) {
  const Pack pack = pack_of({"one", "two", "three"});
  const auto chunks = chunks_of(pack);
  const std::string two = put_table({chunks[0], chunks[1]});
  expect_code(admit_removal(store_, two), Code::denied);
  put_table({chunks[1], chunks[2]});
  expect_code(admit_removal(store_, two), Code::denied);
  const std::string first = put_table({chunks[0]});
  EXPECT_TRUE(admit_removal(store_, two)) << "by two others together";
  EXPECT_TRUE(admit_removal(store_, first));
  ASSERT_TRUE(store_.remove(two));
  expect_code(admit_removal(store_, first), Code::denied);
  EXPECT_TRUE(admit_removal(store_, index_key(Sha256::of(as_bytes("none"))))) << "there is none";
  put(index_key(pack.name), as_bytes("no table"));
  EXPECT_TRUE(admit_removal(store_, index_key(pack.name)));
}

}  // namespace
}  // namespace studio::content
