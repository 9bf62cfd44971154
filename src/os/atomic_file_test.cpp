#include "os/atomic_file.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "contract/scratch_directory.hpp"
#include "os/directory.hpp"

namespace studio::os {
namespace {

std::vector<std::string> names_in(const std::string& path) {
  return os::names_in(open(path, O_RDONLY | O_DIRECTORY)->get(), path).value();
}

TEST(WriteFile, IsWholeToReadersAtAnyMoment) {
  const test::ScratchDirectory scratch;
  const std::string path = scratch / "file";
  const auto content = [](int i) {
    return std::string(1000 * static_cast<std::size_t>(i), static_cast<char>('a' + i));
  };
  ASSERT_TRUE(write_file(path, as_bytes(content(1))));
  std::atomic<bool> done{false};
  std::jthread writer([&] {
    for (int i = 0; i < 300; ++i) EXPECT_TRUE(write_file(path, as_bytes(content(1 + i % 9))));
    done = true;
  });
  while (!done) {
    const auto bytes = read_file(path);
    ASSERT_TRUE(bytes && !bytes->empty());
    EXPECT_EQ(to_text(*bytes), content(to_text(*bytes)[0] - 'a'));
  }
  EXPECT_EQ(names_in(scratch.path()), std::vector<std::string>{"file"});
}

TEST(WriteFile, LeavesNothingBehindAfterAnError) {
  const test::ScratchDirectory scratch;
  ASSERT_TRUE(make_directories(scratch / "directory"));
  EXPECT_FALSE(write_file(scratch / "directory", as_bytes("x")));
  EXPECT_EQ(write_file(scratch / "none/file", as_bytes("x")).error().code, Code::not_found);
  EXPECT_EQ(names_in(scratch.path()), std::vector<std::string>{"directory"});
}

TEST(RemoveStaleFiles, RemovesThoseOfItsPrefixThatAreOld) {
  const test::ScratchDirectory scratch;
  const struct timespec old[2] = {{0, UTIME_OMIT}, {::time(nullptr) - 90'000, 0}};
  for (const char* name : {"new-old", "other-old"})
    ASSERT_EQ(::utimensat(AT_FDCWD, scratch.write(name, "x").c_str(), old, 0), 0);
  scratch.write("new-fresh", "x");
  remove_stale_files(*open(scratch.path(), O_RDONLY | O_DIRECTORY), "new");
  EXPECT_EQ(names_in(scratch.path()), (std::vector<std::string>{"new-fresh", "other-old"}));
}

}  // namespace
}  // namespace studio::os
