#include "content/content_io.hpp"

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

Bytes read_all(ContentReader& reader) {
  Bytes all;
  while (true) {
    const ByteView piece = must(reader.next());
    if (piece.empty()) return all;
    all.insert(all.end(), piece.begin(), piece.end());
  }
}

TEST(Content, SizesAroundEveryBoundary) {
  Chunks chunks;
  const Bytes data = random_bytes(1000);
  for (std::size_t size = 0; size <= data.size(); ++size) {
    const ByteView bytes = ByteView(data).first(size);
    const ContentRef content = chunks.put(bytes);
    EXPECT_EQ(content.size, size);
    EXPECT_EQ(content.level, size <= first_cut(k_tiny, data) ? 0 : 1) << size;
    ASSERT_EQ(chunks.get(content), Bytes(bytes.begin(), bytes.end())) << size;
  }
  EXPECT_EQ(chunks.put({}), ContentRef());
}

TEST(Content, DefaultParametersAroundTheirLimits) {
  Chunks chunks;
  const ChunkerParameters parameters;
  const Bytes data = random_bytes(500'000, 7);
  for (const std::size_t limit : {16u << 10, 48u << 10, 192u << 10, 60620u})
    for (const std::size_t size : {limit - 1, limit + 0, limit + 1}) {
      const ByteView bytes = ByteView(data).first(size);
      EXPECT_EQ(chunks.get(chunks.put(bytes, parameters)), Bytes(bytes.begin(), bytes.end()));
    }
}

TEST(Content, IsTheSameHoweverItIsWritten) {
  Chunks chunks;
  const Bytes data = random_bytes(20'000, 8);
  const ContentRef whole = chunks.put(data);
  ContentWriter writer(chunks.writer, k_tiny, ChunkKind::data);
  Random random(9);
  for (int round = 0; round < 20; ++round) {
    for (std::size_t at = 0; at < data.size();) {
      const std::size_t size = std::min<std::size_t>(random.below(700), data.size() - at);
      const ByteView piece = ByteView(data).subspan(at, size);
      if (round % 2 == 0) {
        must(writer.write(piece));
      } else {
        std::copy(piece.begin(), piece.end(), writer.prepare(size + random.below(300)).begin());
        must(writer.commit(size));
      }
      at += size;
    }
    ASSERT_EQ(must(writer.finish()), whole);
  }
  must(writer.write(data));
  writer.discard();
  EXPECT_EQ(must(writer.finish()), ContentRef());
}

TEST(Content, ManyLevelsAndEverySeek) {
  Chunks chunks;
  // Half a megabyte in chunks of about 70 bytes: lists of lists of lists.
  const Bytes data = random_bytes(500'000, 10);
  const ContentRef content = chunks.put(data);
  EXPECT_GE(content.level, 2);
  must(chunks.writer.flush());
  ContentReader reader(chunks.store, content, 4096);
  EXPECT_EQ(read_all(reader), data);
  EXPECT_TRUE(must(reader.next()).empty());
  Random random(11);
  for (int i = 0; i < 400; ++i) {
    const std::size_t offset = i == 0 ? 0 : i == 1 ? data.size() - 1 : random.below(data.size());
    must(reader.seek(offset));
    Bytes got;
    while (got.size() < 300) {
      const ByteView piece = must(reader.next());
      if (piece.empty()) break;
      got.insert(got.end(), piece.begin(), piece.end());
    }
    const std::size_t size = std::min(got.size(), data.size() - offset);
    ASSERT_EQ(got.size(), size);
    ASSERT_GE(size, std::min<std::size_t>(300, data.size() - offset));
    ASSERT_TRUE(std::equal(got.begin(), got.end(), data.begin() + static_cast<std::ptrdiff_t>(offset))) << offset;
  }
  must(reader.seek(data.size()));
  EXPECT_TRUE(must(reader.next()).empty());
  must(reader.seek(data.size() / 2));
  EXPECT_EQ(read_all(reader), Bytes(data.begin() + static_cast<std::ptrdiff_t>(data.size() / 2), data.end()));
}

TEST(Content, ListsOfEveryLengthAroundTheirLimits) {
  Chunks chunks;
  const Bytes data = random_bytes(40'000, 12);
  // Each size adds about one entry: the ends of lists fall everywhere.
  for (std::size_t size = 3000; size <= data.size(); size += 97) {
    const ByteView bytes = ByteView(data).first(size);
    ASSERT_EQ(chunks.get(chunks.put(bytes)), Bytes(bytes.begin(), bytes.end())) << size;
  }
}

// With zeros all chunks are equal, so no list ends before its limit of 1024.
TEST(Content, EqualChunksGiveFullLists) {
  Chunks chunks;
  for (const std::size_t count : {1023u, 1024u, 1025u, 2048u, 2049u}) {
    const Bytes data(count * k_tiny.maximum, std::byte{0});
    const ContentRef content = chunks.put(data);
    EXPECT_EQ(content.level, count <= 1024 ? 1 : 2) << count;
    ASSERT_EQ(chunks.get(content), data);
  }
}

TEST(Content, ChangeInTheMiddleStoresLittle) {
  Chunks chunks;
  Bytes data = random_bytes(200'000, 13);
  (void)chunks.put(data);
  const std::uint64_t before = chunks.writer.stored_bytes();
  data[100'000] ^= std::byte{1};
  (void)chunks.put(data);
  EXPECT_LT(chunks.writer.stored_bytes() - before, 20'000u);
}

TEST(Content, SmallContentsOnly) {
  Chunks chunks;
  const ContentRef content = chunks.put(random_bytes(1000));
  EXPECT_EQ(must(read_content(chunks.writer, content, 1000)).size(), 1000u);
  EXPECT_EQ(code_of(read_content(chunks.writer, content, 999)), Code::exhausted);
}

Bytes list_of(std::uint8_t level, const std::vector<ChunkRef>& entries) {
  ByteWriter out;
  out.u8('L');
  out.u8(level);
  out.varint(entries.size());
  for (const ChunkRef& entry : entries) {
    out.digest(entry.digest);
    out.varint(entry.size);
  }
  return out.take();
}

TEST(Content, ListsThatLieAreCorrupt) {
  Chunks chunks;
  const Digest chunk = must(chunks.writer.put(ChunkKind::data, as_bytes("0123456789")));
  const auto read = [&](const std::vector<ChunkRef>& entries, std::uint64_t size, std::uint8_t level = 1) {
    const Digest list = must(chunks.writer.put(ChunkKind::metadata, list_of(level, entries)));
    return read_content(chunks.writer, {.size = size, .level = level, .digest = list}, 1 << 20);
  };
  EXPECT_EQ(to_text(must(read({{chunk, 10}, {chunk, 10}}, 20))), "01234567890123456789");
  EXPECT_EQ(code_of(read({{chunk, 10}, {chunk, 10}}, 19)), Code::corrupt);
  EXPECT_EQ(code_of(read({{chunk, 10}, {chunk, 10}}, 21)), Code::corrupt);
  EXPECT_EQ(code_of(read({}, 10)), Code::corrupt);
  // A list that contains itself cannot be made; one of the wrong level can.
  const Digest list = must(chunks.writer.put(ChunkKind::metadata, list_of(1, {{chunk, 10}})));
  EXPECT_EQ(code_of(read_content(chunks.writer, {.size = 10, .level = 2, .digest = list}, 100)), Code::corrupt);
  EXPECT_EQ(code_of(read_content(chunks.writer, {.size = 10, .level = 200, .digest = list}, 100)), Code::corrupt);
  EXPECT_EQ(code_of(read_content(chunks.writer, {.size = 9, .level = 0, .digest = chunk}, 100)), Code::corrupt);
  EXPECT_EQ(code_of(read_content(chunks.writer, {.size = 9, .level = 0, .digest = Digest()}, 100)), Code::corrupt);
  // Wrong sizes inside must not lead a seek astray unseen.
  const auto content =
      ContentRef{.size = 20,
                 .level = 1,
                 .digest = must(chunks.writer.put(ChunkKind::metadata, list_of(1, {{chunk, 15}, {chunk, 5}})))};
  ContentReader reader(chunks.writer, content);
  must(reader.seek(12));
  EXPECT_EQ(code_of(reader.next()), Code::corrupt);
}

TEST(Content, EveryDamageToAListIsRefused) {
  const Bytes list = list_of(3, {{Sha256::of({}), 5}, {Sha256::of(as_bytes("x")), 300}});
  EXPECT_EQ(must(parse_list(list, 3)).size(), 2u);
  EXPECT_FALSE(parse_list(list, 2));
  for (std::size_t size = 0; size < list.size(); ++size) EXPECT_FALSE(parse_list(ByteView(list).first(size), 3));
  Bytes longer = list;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(parse_list(longer, 3));
  ByteWriter huge;
  huge.u8('L');
  huge.u8(1);
  huge.varint(UINT64_MAX);
  EXPECT_FALSE(parse_list(huge.view(), 1));
}

}  // namespace
}  // namespace studio::content
