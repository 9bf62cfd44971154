#include "content/gzip.hpp"

#include <zlib.h>

#include <cstdlib>

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

std::string gunzipped(const std::string& stream, std::size_t size) {
  std::string bytes(size + 1, '\0');
  z_stream state{};
  must_be_zero(inflateInit2(&state, 15 + 16));
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stream.data()));
  state.avail_in = static_cast<uInt>(stream.size());
  state.next_out = reinterpret_cast<Bytef*>(bytes.data());
  state.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(inflate(&state, Z_FINISH), Z_STREAM_END) << (state.msg == nullptr ? "" : state.msg);
  EXPECT_EQ(state.avail_in, 0u) << "one member";
  bytes.resize(bytes.size() - state.avail_out);
  inflateEnd(&state);
  return bytes;
}

// In writes of `step` bytes.
std::string gzipped(const std::string& bytes, std::size_t threads, std::size_t step = 100'000) {
  std::string stream;
  GzipSink gzip(
      [&](ByteView part) -> Result<void> {
        stream += as_text(part);
        return {};
      },
      threads);
  for (std::size_t at = 0; at < bytes.size(); at += step)
    must(gzip.write(as_bytes(std::string_view(bytes).substr(at, step))));
  must(gzip.finish());
  return stream;
}

// Noise and zeros in turn.
std::string mixed_text(std::size_t size) {
  std::string text = random_text(size);
  for (std::size_t at = 0; at < size; at += 10'000)
    std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(at), std::min<std::size_t>(5'000, size - at), '\0');
  return text;
}

constexpr std::size_t k_block = GzipSink::k_block;

TEST(Gzip, SizesAroundTheBlocks) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, k_block - 1, k_block, k_block + 1, 2 * k_block,
                                 7 * k_block, 20 * k_block + 12'345}) {
    const std::string mixed = mixed_text(size);
    for (const std::string& bytes : {mixed, random_text(size), std::string(size, 'x')}) {
      const std::string stream = gzipped(bytes, 2);
      EXPECT_TRUE(gunzipped(stream, size) == bytes) << size;
      EXPECT_TRUE(gzipped(bytes, 0) == stream) << size;
      EXPECT_LE(stream.size(), size + size / 5'000 + 32);
    }
  }
}

TEST(Gzip, TheSameBytesWhateverTheThreadsAndTheWrites) {
  const std::string bytes = mixed_text(9 * k_block + 777);
  const std::string stream = gzipped(bytes, 0);
  for (const std::size_t threads : {1u, 2u, 4u}) EXPECT_TRUE(gzipped(bytes, threads) == stream) << threads;
  for (const std::size_t step : {std::size_t{1'009}, k_block, 2 * k_block + 1, bytes.size()})
    EXPECT_TRUE(gzipped(bytes, 2, step) == stream) << step;
}

TEST(Gzip, AnyWrites) {
  Random random(7);
  for (int round = 0; round < 20; ++round) {
    const std::string bytes = mixed_text(random.below(6 * k_block));
    std::string stream;
    GzipSink gzip(
        [&](ByteView part) -> Result<void> {
          stream += as_text(part);
          return {};
        },
        random.below(4));
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = random.below(1 + random.below(2 * k_block));
      must(gzip.write(as_bytes(std::string_view(bytes).substr(at, size))));
      at += size;
    }
    must(gzip.finish());
    EXPECT_TRUE(gunzipped(stream, bytes.size()) == bytes) << "round " << round;
  }
}

// Wherever it fails, the error comes back, nothing more is written, and all threads end.
TEST(Gzip, ErrorsOfTheSinkComeBack) {
  const std::string bytes = mixed_text(8 * k_block + 5);
  for (const std::size_t threads : {0u, 1u, 3u}) {
    bool failed = true;
    for (int failing = 1; failed; ++failing) {
      int calls = 0;
      GzipSink gzip(
          [&](ByteView) -> Result<void> {
            if (++calls == failing) return Error{Code::exhausted, "full"};
            return {};
          },
          threads);
      Result<void> result;
      for (std::size_t at = 0; result && at < bytes.size(); at += 200'000)
        result = gzip.write(as_bytes(std::string_view(bytes).substr(at, 200'000)));
      if (result) result = gzip.finish();
      failed = calls >= failing;
      EXPECT_EQ(calls, failed ? failing : 13);  // header, 9 blocks, end, checksum, size
      EXPECT_EQ(result.has_value(), !failed);
      EXPECT_TRUE(result || result.error().code == Code::exhausted);
    }
  }
}

TEST(Gzip, AbandonedAmidTheStream) {
  const std::string bytes = mixed_text(3 * k_block);
  GzipSink gzip([](ByteView) -> Result<void> { return {}; }, 2);
  must(gzip.write(as_bytes(bytes)));
}

// Readers of others, of which the second gives up after the first member if there are several.
TEST(Gzip, OthersReadIt) {
  const test::ScratchDirectory scratch;
  const std::string bytes = mixed_text(5 * k_block + 1);
  write_text(scratch / "plain", bytes);
  write_text(scratch / "file.gz", gzipped(bytes, 2));
  const std::string compare = concat(" | cmp - '", scratch / "plain", "' > /dev/null 2>&1");
  const std::string quoted = concat("'", scratch / "file.gz", "'");
  EXPECT_EQ(std::system(concat("gzip -t ", quoted).c_str()), 0);
  EXPECT_EQ(std::system(concat("gzip -dc ", quoted, compare).c_str()), 0);
  const std::string once =
      "python3 -c 'import sys, zlib; "
      "sys.stdout.buffer.write(zlib.decompress(open(sys.argv[1], \"rb\").read(), 31))' ";
  EXPECT_EQ(std::system(concat(once, quoted, compare).c_str()), 0);
  EXPECT_EQ(
      std::system(
          concat("python3 -m gzip -d ", quoted, " && cmp '", scratch / "plain", "' '", scratch / "file", "'").c_str()),
      0);
}

}  // namespace
}  // namespace studio::content
