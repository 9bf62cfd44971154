#include "content/file_reader.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

struct FileReading : testing::Test {
  FileRead read(const Clock& clock, const std::string& name = "file", std::stop_token stop = {}) {
    return must(try_read(clock, name, stop));
  }
  Result<FileRead> try_read(const Clock& clock, const std::string& name = "file", std::stop_token stop = {}) {
    const os::Fd directory = must(os::open(scratch.path(), O_RDONLY | O_DIRECTORY));
    FileReader reader(chunks.writer, k_tiny, clock, stop);
    return reader.read(directory.get(), name);
  }
  void rewrite(int round) {
    write_text(path, concat("rewritten ", round));
    set_time(path, 1000 + round, 0);  // so that it shows however fast this test is
  }
  void append(std::string_view text) {
    const os::Fd fd = must(os::open(path, O_WRONLY | O_APPEND));
    must(os::write_all(fd, as_bytes(text), path));
  }

  test::ScratchDirectory scratch;
  std::string path = scratch / "file";
  Chunks chunks;
};

TEST_F(FileReading, Stable) {
  const MeddlingClock clock([](int) {});
  for (const std::size_t size : {0u, 1u, 500u, (1u << 20) - 1, 1u << 20, (1u << 20) + 1, 2'500'000u}) {
    const std::string text = random_text(size, size);
    write_text(path, text);
    set_time(path, 5, 7);
    const FileRead result = read(clock);
    ASSERT_EQ(result.outcome, FileRead::Outcome::complete);
    EXPECT_EQ(result.entry.size, size);
    EXPECT_EQ(result.entry.modified_ns, 5'000'000'007);
    EXPECT_EQ(result.entry.mode, 0644u);
    EXPECT_TRUE(result.entry.holes.empty());
    EXPECT_FALSE(result.racy);
    EXPECT_EQ(to_text(chunks.get(result.entry.content)), text);
  }
}

TEST_F(FileReading, RewrittenOnceIsReadAgain) {
  write_text(path, "before");
  const MeddlingClock clock([&](int asked) {
    if (asked == 1) rewrite(asked);
  });
  const FileRead result = read(clock);
  ASSERT_EQ(result.outcome, FileRead::Outcome::complete);
  EXPECT_EQ(to_text(chunks.get(result.entry.content)), "rewritten 1");
  EXPECT_EQ(result.entry.modified_ns, 1'001'000'000'000);
}

TEST_F(FileReading, ConstantlyRewrittenIsUnstable) {
  write_text(path, "before");
  const MeddlingClock clock([&](int asked) { rewrite(asked); });
  EXPECT_EQ(read(clock).outcome, FileRead::Outcome::unstable);
  EXPECT_LE(clock.asked, 4);
}

TEST_F(FileReading, ConstantlyAppendedKeepsAPrefix) {
  write_text(path, "line 0\n");
  const MeddlingClock clock([&](int asked) { append(concat("line ", asked, "\n")); });
  const FileRead result = read(clock);
  ASSERT_EQ(result.outcome, FileRead::Outcome::prefix);
  EXPECT_TRUE(result.racy);
  EXPECT_EQ(to_text(chunks.get(result.entry.content)), "line 0\nline 1\nline 2\n");
  EXPECT_EQ(result.entry.size, result.entry.content.size);
}

TEST_F(FileReading, AppendedAndRewrittenInFrontIsNoPrefix) {
  write_text(path, "line 0\n");
  const MeddlingClock clock([&](int asked) {
    append(concat("line ", asked, "\n"));
    const os::Fd fd = must(os::open(path, O_WRONLY));
    must(os::write_at(fd, 0, as_bytes(std::string(1, static_cast<char>('0' + asked))), path));
  });
  EXPECT_EQ(read(clock).outcome, FileRead::Outcome::unstable);
}

TEST_F(FileReading, TruncatedIsReadAgain) {
  write_text(path, std::string(10'000, 'x'));
  const MeddlingClock clock([&](int asked) {
    if (asked == 1) must_be_zero(::truncate(path.c_str(), 100));
  });
  const FileRead result = read(clock);
  ASSERT_EQ(result.outcome, FileRead::Outcome::complete);
  EXPECT_EQ(to_text(chunks.get(result.entry.content)), std::string(100, 'x'));
}

TEST_F(FileReading, TruncatedAndGrownIsNoPrefix) {
  write_text(path, std::string(1000, 'x'));
  const MeddlingClock clock([&](int asked) {
    if (asked == 1) must_be_zero(::truncate(path.c_str(), 10));
    append("more");
  });
  EXPECT_EQ(read(clock).outcome, FileRead::Outcome::unstable);
}

TEST_F(FileReading, WaitsForTheTickToPass) {
  write_text(path, "just written");
  MeddlingClock clock([](int) {}, std::chrono::nanoseconds(0));
  clock.while_asleep = [&] { write_text(path, "written while we slept"); };
  const FileRead result = read(clock);
  ASSERT_EQ(result.outcome, FileRead::Outcome::complete);
  EXPECT_EQ(clock.slept, 1);
  EXPECT_FALSE(result.racy);
  EXPECT_EQ(to_text(chunks.get(result.entry.content)), "written while we slept");
}

TEST_F(FileReading, IsRacyIfTheClockOfTheDiskIsAhead) {
  write_text(path, "from the future");
  // Behind the disk's: waiting does not help.
  class Behind final : public Clock {
   public:
    WallTime now() const override { return SystemClock().now() - std::chrono::hours(5); }
    void sleep_until(WallTime time) const override { EXPECT_LT(time, now() + std::chrono::seconds(3)); }
  };
  const FileRead result = read(Behind());
  EXPECT_EQ(result.outcome, FileRead::Outcome::complete);
  EXPECT_TRUE(result.racy);
}

TEST_F(FileReading, ReplacedWhileItIsRead) {
  write_text(path, "old");
  const MeddlingClock clock([&](int asked) {
    if (asked != 1) return;
    write_text(path + ".new", "new");
    ASSERT_EQ(::rename((path + ".new").c_str(), path.c_str()), 0);
  });
  const FileRead result = read(clock);
  // The open file is whole; unlinking it moved its ctime, so it was read again.
  ASSERT_EQ(result.outcome, FileRead::Outcome::complete);
  EXPECT_EQ(to_text(chunks.get(result.entry.content)), "old");
}

TEST_F(FileReading, WhatIsNoRegularFileIsGone) {
  const MeddlingClock clock([](int) {});
  EXPECT_EQ(read(clock, "missing").outcome, FileRead::Outcome::gone);
  ASSERT_EQ(::mkfifo((scratch / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(read(clock, "fifo").outcome, FileRead::Outcome::gone);  // and does not block
  write_text(path, "x");
  ASSERT_EQ(::symlink("file", (scratch / "link").c_str()), 0);
  EXPECT_EQ(read(clock, "link").outcome, FileRead::Outcome::gone);
  make_directory(scratch / "directory");
  EXPECT_EQ(read(clock, "directory").outcome, FileRead::Outcome::gone);
}

TEST_F(FileReading, Unreadable) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  write_text(path, "x");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  const FileRead result = read(MeddlingClock([](int) {}));
  EXPECT_EQ(result.outcome, FileRead::Outcome::unreadable);
  EXPECT_FALSE(result.problem.empty());
}

TEST_F(FileReading, Holes) {
  constexpr std::uint64_t k_size = 64 << 20;
  {
    const os::Fd fd = must(os::open(path, O_WRONLY | O_CREAT, 0600));
    must(os::write_at(fd, 16 << 20, as_bytes(std::string(4096, 'd')), path));
    ASSERT_EQ(::ftruncate(fd.get(), k_size), 0);
    if (::lseek(fd.get(), 0, SEEK_HOLE) != 0) GTEST_SKIP() << "no holes here";
  }
  const FileRead result = read(MeddlingClock([](int) {}));
  ASSERT_EQ(result.outcome, FileRead::Outcome::complete);
  EXPECT_EQ(result.entry.size, k_size);
  EXPECT_EQ(result.entry.holes.size(), 2u);
  EXPECT_EQ(to_text(chunks.get(result.entry.content)), std::string(4096, 'd'));
}

TEST_F(FileReading, StopsAndKnowsWhoseErrorItIs) {
  write_text(path, "x");
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(code_of(try_read(MeddlingClock([](int) {}), "file", source.get_token())), Code::cancelled);
}

}  // namespace
}  // namespace studio::content
