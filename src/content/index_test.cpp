#include <sys/mman.h>
#include <xxhash.h>

#include <cstring>

#include "content/content_testing.hpp"
#include "content/index_table.hpp"

namespace studio::content {
namespace {

std::vector<IndexedChunk> some_chunks(std::size_t count, std::size_t packs = 3) {
  std::vector<IndexedChunk> chunks;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Digest pack = Sha256::of(as_bytes(concat("pack ", i % packs)));
    chunks.push_back(
        {Sha256::of(as_bytes(std::to_string(i))), {pack, i * 100, 90 + i, 0xffffff - i, Codec::zstd, i % 7 == 0}});
  }
  return chunks;
}

void expect_same(const Location& a, const Location& b) {
  EXPECT_EQ(a.pack, b.pack);
  EXPECT_EQ(a.offset, b.offset);
  EXPECT_EQ(a.stored_length, b.stored_length);
  EXPECT_EQ(a.raw_length, b.raw_length);
  EXPECT_EQ(a.codec, b.codec);
  EXPECT_EQ(a.suspect, b.suspect);
}

Result<IndexTable> open_table(Bytes bytes) { return IndexTable::open(blob::ObjectView(std::move(bytes))); }

IndexTable table_of(const std::vector<IndexedChunk>& chunks) { return must(open_table(build_index(chunks))); }

std::vector<IndexedChunk> all_of(const std::vector<const IndexTable*>& tables) {
  std::vector<IndexedChunk> all;
  must(for_each_chunk(tables, [&](const IndexedChunk& chunk) -> Result<void> {
    all.push_back(chunk);
    return {};
  }));
  return all;
}

std::vector<IndexedChunk> readable_of(const IndexTable& table) {
  std::vector<IndexedChunk> readable;
  must(table.for_each_readable([&](const IndexedChunk& chunk) -> Result<void> {
    readable.push_back(chunk);
    return {};
  }));
  return readable;
}

bool in_order(const std::vector<IndexedChunk>& chunks) {
  const auto not_before = [](const auto& a, const auto& b) { return a.digest >= b.digest; };
  return std::adjacent_find(chunks.begin(), chunks.end(), not_before) == chunks.end();
}

TEST(Index, FindsWhatItHolds) {
  for (const std::size_t count : {0u, 1u, 32u, 33u, 84u, 85u, 86u, 170u, 171u, 2000u}) {
    const auto chunks = some_chunks(count);
    const Bytes bytes = build_index(chunks);
    const std::size_t pages = (count + 84) / 85 + (count > 0 ? 1 : 0);
    EXPECT_EQ(bytes.size(), pages * 4096 + (count + 31) / 32 * 64 + 64);
    const IndexTable table = must(open_table(bytes));
    EXPECT_EQ(table.size(), count);
    must(table.check());
    for (const IndexedChunk& chunk : chunks) {
      const auto found = must(table.find(chunk.digest));
      ASSERT_TRUE(found);
      expect_same(*found, chunk.location);
    }
    for (std::size_t i = 0; i < 200; ++i) EXPECT_FALSE(must(table.find(Sha256::of(as_bytes(concat("no ", i))))));
    EXPECT_FALSE(must(table.find(Digest())));
    Digest last;
    last.bytes.fill(std::byte{0xff});
    EXPECT_FALSE(must(table.find(last)));
    const auto all = all_of({&table});
    EXPECT_EQ(all.size(), count);
    EXPECT_TRUE(in_order(all));
    EXPECT_EQ(readable_of(table).size(), count);
  }
}

TEST(Index, FindsPacksOfAllPages) {
  const auto chunks = some_chunks(1000, 300);
  const IndexTable table = table_of(chunks);
  for (const IndexedChunk& chunk : chunks) expect_same(must(table.find(chunk.digest)).value(), chunk.location);
}

TEST(Index, FindsDigestsThatAreNotUniform) {
  std::vector<IndexedChunk> chunks;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    IndexedChunk chunk;
    chunk.digest.bytes[31] = static_cast<std::byte>(i & 0xff);
    chunk.digest.bytes[30] = static_cast<std::byte>(i >> 8);
    if (i % 2 == 1) chunk.digest.bytes[0] = std::byte{0xff};
    chunk.location.offset = i;
    chunks.push_back(chunk);
  }
  const IndexTable table = table_of(chunks);
  for (const IndexedChunk& chunk : chunks)
    EXPECT_EQ(must(table.find(chunk.digest)).value().offset, chunk.location.offset);
}

// Checksums are no proof of who wrote it.
TEST(Index, OutOfOrderIsNoWayToCrash) {
  const auto chunks = some_chunks(2000);
  Bytes bytes = build_index(chunks);
  for (std::size_t page = 0; page < 11; ++page)
    std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(page * 4096),
                     bytes.begin() + static_cast<std::ptrdiff_t>((page + 1) * 4096),
                     bytes.begin() + static_cast<std::ptrdiff_t>((22 - page) * 4096));
  const IndexTable table = must(open_table(bytes));
  std::size_t found = 0;
  for (const IndexedChunk& chunk : chunks) found += must(table.find(chunk.digest)).has_value() ? 1u : 0u;
  EXPECT_LT(found, chunks.size());
}

// Against the plainest thing that does the same.
TEST(Index, FindsWhatAMapFinds) {
  Random random(7);
  for (int round = 0; round < 30; ++round) {
    // Digests of few different bytes: neighbours, shared beginnings, both ends of the range.
    const auto any_digest = [&] {
      Digest digest;
      const std::size_t varied = 1 + random.below(3);
      for (std::size_t i = 0; i < varied; ++i)
        digest.bytes[random.below(Digest::k_size)] = static_cast<std::byte>(random.below(2) * 0xff + random.below(2));
      return digest;
    };
    std::map<Digest, std::uint32_t> expected;
    std::vector<IndexedChunk> chunks;
    for (std::uint32_t i = 0; i < random.below(3000); ++i) {
      const Digest digest = random.below(2) == 0 ? any_digest() : Sha256::of(as_bytes(std::to_string(i)));
      if (expected.emplace(digest, i).second) chunks.push_back({digest, {.offset = i}});
    }
    const IndexTable table = table_of(chunks);
    EXPECT_EQ(table.size(), expected.size());
    for (const auto& [digest, offset] : expected) ASSERT_EQ(must(table.find(digest)).value().offset, offset);
    for (int i = 0; i < 2000; ++i) {
      const Digest digest = any_digest();
      const auto found = must(table.find(digest));
      const auto wanted = expected.find(digest);
      ASSERT_EQ(found.has_value(), wanted != expected.end());
      if (found) {
        ASSERT_EQ(found->offset, wanted->second);
      }
    }
  }
}

// An object of which only some bytes can be touched: to read another one is to die.
class GuardedObject {
 public:
  static constexpr std::size_t k_page = 4096;
  explicit GuardedObject(ByteView bytes) : size_(bytes.size()) {
    memory_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::runtime_error("no memory");
    std::memcpy(memory_, bytes.data(), size_);
  }
  ~GuardedObject() { ::munmap(memory_, size_); }
  void forbid(std::size_t from_page, std::size_t pages) const {
    must_be_zero(::mprotect(static_cast<std::byte*>(memory_) + from_page * k_page, pages * k_page, PROT_NONE));
  }
  blob::ObjectView view() const {
    return blob::ObjectView(ByteView(static_cast<const std::byte*>(memory_), size_), [](ByteView) {});
  }

 private:
  std::size_t size_;
  void* memory_ = nullptr;
};

TEST(Index, ReadsNoPageBeforeItIsNeeded) {
  const auto chunks = some_chunks(20'000, 1000);
  const Bytes bytes = build_index(chunks);
  const std::size_t entry_pages = (chunks.size() + 84) / 85;
  const std::size_t pack_pages = (1000 + 126) / 127;
  const std::size_t filter_pages = chunks.size() / 32 * 64 / 4096;  // whole ones
  const GuardedObject object(bytes);
  // Opening needs the last page.
  object.forbid(0, entry_pages + pack_pages + filter_pages);
  const IndexTable table = must(IndexTable::open(object.view()));
  EXPECT_EQ(table.size(), chunks.size());

  // A chunk that is not there is refused by the filter alone: nearly always.
  std::size_t passed = 0;
  const IndexTable whole = must(open_table(bytes));
  const GuardedObject filter_only(bytes);
  filter_only.forbid(0, entry_pages + pack_pages);
  const IndexTable guarded = must(IndexTable::open(filter_only.view()));
  Bytes zeros = bytes;
  std::fill(zeros.begin(), zeros.begin() + static_cast<std::ptrdiff_t>(entry_pages * 4096), std::byte{0});
  const IndexTable without_entries = must(open_table(zeros));
  for (int i = 0; i < 10'000; ++i) {
    const Digest digest = Sha256::of(as_bytes(concat("no ", i)));
    EXPECT_FALSE(must(whole.find(digest)));
    // Pages of zeros are damaged: whoever looks at one says so.
    if (!without_entries.find(digest))
      ++passed;
    else
      EXPECT_FALSE(must(guarded.find(digest)));
  }
  EXPECT_LT(passed, 100u) << "of 10,000";
}

TEST(Index, OfOneChunkKeepsTheSoundPlace) {
  auto chunks = some_chunks(1);
  auto other = chunks[0];
  chunks[0].location.suspect = true;
  other.location.suspect = false;
  other.location.offset = 42;
  const IndexTable suspect = table_of(chunks);
  chunks.push_back(other);
  const IndexTable table = table_of(chunks);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(must(table.find(other.digest)).value().offset, 42u);
  // In several tables, whatever their order.
  const IndexTable sound = table_of({other});
  other.location.offset = 43;
  const IndexTable sound_too = table_of({other});
  const auto offset_in = [](const std::vector<const IndexTable*>& tables) {
    const auto all = all_of(tables);
    EXPECT_EQ(all.size(), 1u);
    EXPECT_FALSE(all.at(0).location.suspect);
    return all.at(0).location.offset;
  };
  EXPECT_EQ(offset_in({&suspect, &sound}), 42u);
  EXPECT_EQ(offset_in({&sound, &suspect}), 42u);
  EXPECT_EQ(offset_in({&suspect, &sound_too, &suspect, &sound}), 43u);
  EXPECT_TRUE(all_of({&suspect, &suspect}).at(0).location.suspect);
}

TEST(Index, TablesAreVisitedAsOne) {
  const auto chunks = some_chunks(2000);
  std::vector<IndexTable> tables;
  for (std::size_t i = 0; i < 7; ++i) {
    std::vector<IndexedChunk> some;
    for (std::size_t at = 0; at < chunks.size(); ++at)
      if (at % 7 == i || at % 5 == i) some.push_back(chunks[at]);
    tables.push_back(table_of(some));
  }
  tables.push_back(table_of({}));
  std::vector<const IndexTable*> pointers;
  for (const IndexTable& table : tables) pointers.push_back(&table);
  const auto all = all_of(pointers);
  EXPECT_EQ(all.size(), chunks.size());
  EXPECT_TRUE(in_order(all));
  EXPECT_TRUE(build_index(all) == build_index(chunks));
  EXPECT_TRUE(all_of({}).empty());
  int visits = 0;
  const auto stopped = for_each_chunk(pointers, [&](const IndexedChunk&) -> Result<void> {
    if (++visits == 3) return Error{Code::cancelled, "enough"};
    return {};
  });
  EXPECT_EQ(code_of(stopped), Code::cancelled);
  EXPECT_EQ(visits, 3);
}

TEST(Index, IsTheSameWhateverTheOrder) {
  auto chunks = some_chunks(300, 1);
  const Bytes bytes = build_index(chunks);
  std::reverse(chunks.begin(), chunks.end());
  EXPECT_EQ(build_index(chunks), bytes);
}

// XXH3 by another program.
TEST(Index, HasTheBytesOfTheFormat) {
  const Bytes bytes = build_index(some_chunks(1));
  EXPECT_EQ(hex(ByteView(bytes).subspan(32, 16)), "00000000000000005a000000ffffff81");
  EXPECT_EQ(hex(ByteView(bytes).subspan(4080, 16)), "0e500f3aaca630950000000000000000");
  EXPECT_EQ(hex(ByteView(bytes).subspan(4096, 32)), Sha256::of(as_bytes("pack 0")).hex());
  EXPECT_EQ(hex(ByteView(bytes).subspan(8192, 64)),
            "0000000000000000000000002000000000040100000000210000100000000000"
            "0000000000000008000000000000000001000000000000003626d0e4cecfa754");
  const ByteView trailer = ByteView(bytes).last(64);
  EXPECT_EQ(to_text(trailer.first(8)), "STUDINDX");
  EXPECT_EQ(hex(trailer.subspan(8)),
            "02000000010000000100000000000000244766e7e24539510000000000000000"
            "0000000000000000000000000000000052c3fa8012bf8e58");
}

TEST(Index, EveryTruncationIsRefused) {
  const Bytes bytes = build_index(some_chunks(100));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(code_of(open_table(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)))),
              Code::corrupt);
  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(open_table(longer));
}

TEST(Index, EveryFlippedByteIsFoundOrHarmless) {
  const auto chunks = some_chunks(90);
  const Bytes bytes = build_index(chunks);
  std::size_t harmless = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Bytes flipped = bytes;
    flipped[at] ^= std::byte{0x10};
    const auto table = open_table(flipped);
    if (!table) continue;
    const auto checked = table->check();
    if (checked) {
      ++harmless;
      EXPECT_TRUE(build_index(all_of({&*table})) == bytes);
    } else {
      EXPECT_EQ(checked.error().code, Code::corrupt);
      EXPECT_LE(readable_of(*table).size(), chunks.size());
    }
    for (const IndexedChunk& chunk : {chunks[0], chunks[50]}) {
      const auto found = table->find(chunk.digest);
      if (found)
        expect_same(found->value(), chunk.location);
      else
        EXPECT_EQ(found.error().code, Code::corrupt);
    }
  }
  EXPECT_EQ(harmless, 3u * 8);  // the reserved bytes of each page
}

TEST(Index, GoesOnBehindDamagedPages) {
  const auto chunks = some_chunks(400, 200);
  const Bytes bytes = build_index(chunks);
  Bytes without_entries = bytes;
  without_entries[2 * 4096] ^= std::byte{1};
  EXPECT_EQ(readable_of(must(open_table(without_entries))).size(), 400u - 85);
  Bytes without_packs = bytes;
  without_packs[6 * 4096] ^= std::byte{1};  // the second page of packs: 73 of them
  const auto readable = readable_of(must(open_table(without_packs)));
  EXPECT_GT(readable.size(), 0u);
  EXPECT_LT(readable.size(), 400u);
  EXPECT_TRUE(in_order(readable));
}

TEST(Index, HostileTrailersAreRefused) {
  // Whoever can write a checksum can write any number: nothing may be read beyond the end.
  const Bytes bytes = build_index(some_chunks(2));
  EXPECT_FALSE(open_table(Bytes()));
  const std::size_t trailer = bytes.size() - 64;
  for (const std::size_t field : {12u, 15u, 16u, 20u, 23u}) {
    Bytes other = bytes;
    other[trailer + field] = std::byte{0xff};
    const std::uint64_t sum = XXH3_64bits(other.data() + trailer, 56);
    for (std::size_t i = 0; i < 8; ++i) other[trailer + 56 + i] = static_cast<std::byte>(sum >> (8 * i));
    EXPECT_EQ(code_of(open_table(other)), Code::corrupt);
  }
  // Nor behind the list of packs.
  Bytes other = bytes;
  other[32] = std::byte{3};
  const std::uint64_t sum = XXH3_64bits(other.data(), 4080);
  for (std::size_t i = 0; i < 8; ++i) other[4080 + i] = static_cast<std::byte>(sum >> (8 * i));
  const IndexTable table = must(open_table(other));
  EXPECT_EQ(readable_of(table).size(), 1u);
}

}  // namespace
}  // namespace studio::content
