// Whatever the sizes and places of the parts: what is written past the page cache is what a reader finds.
#include "os/direct_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/concat.hpp"

namespace studio::os {
namespace {

struct DirectFiles : testing::TestWithParam<const char*> {
  void SetUp() override {
    directory = concat(GetParam(), "/studio-direct-XXXXXX");
    if (::mkdtemp(directory.data()) == nullptr) GTEST_SKIP() << directory << " cannot be made here";
  }
  void TearDown() override { (void)remove_tree(directory); }

  Fd create(const std::string& name) {
    auto file = open(path_of(name), O_WRONLY | O_CREAT | O_EXCL, 0600);
    EXPECT_TRUE(file.has_value());
    return std::move(*file);
  }
  std::string path_of(const std::string& name) const { return concat(directory, "/", name); }
  std::string text_of(const std::string& name) const { return to_text(read_file(path_of(name)).value_or(Bytes())); }

  std::string directory;
};

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
  return bytes;
}

TEST_P(DirectFiles, PartsOfAnySize) {
  const Bytes bytes = pattern(1'500'000);
  const ByteView all(bytes);
  const std::vector<std::vector<std::size_t>> cases{
      {0}, {1}, {4096}, {4097}, {1'499'999, 1}, {8192, 5, 4096, 300'000}, {3, 8192, 262'144, 262'141}, {4095, 1, 4096}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    std::vector<ByteView> parts;
    std::size_t end = 0;
    for (const std::size_t size : cases[i]) {
      parts.push_back(all.subspan(end, size));
      end += size;
    }
    const std::string name = concat("f", i);
    const auto written = write_direct(create(name), parts, end, name);
    ASSERT_TRUE(written.has_value()) << written.error().message;
    EXPECT_EQ(text_of(name), as_text(all.first(end))) << i;
  }
}

TEST_P(DirectFiles, BlocksInAnyOrder) {
  constexpr std::size_t k_size = 3 * 65'536 + 100;
  const Bytes bytes = pattern(DirectFile::whole_blocks(k_size));
  const Fd file = create("f");
  auto direct = DirectFile::begin(file, k_size, "f");
  ASSERT_TRUE(direct.has_value());
  for (const std::size_t at : std::vector<std::size_t>{196'608, 65'536, 0, 131'072})
    ASSERT_TRUE(direct->write(at, ByteView(bytes).subspan(at, std::min<std::size_t>(65'536, bytes.size() - at)), "f"));
  ASSERT_TRUE(set_length(file.get(), k_size, "f"));
  EXPECT_EQ(text_of("f"), as_text(ByteView(bytes).first(k_size)));
}

TEST_P(DirectFiles, ReadFromAnyPlaceIntoAnyMemory) {
  constexpr std::size_t k_size = 300'001;
  const Bytes bytes = pattern(k_size);
  const ByteView parts[] = {bytes};
  ASSERT_TRUE(write_direct(create("f"), parts, k_size, "f"));
  const auto file = open(path_of("f"), O_RDONLY);
  ASSERT_TRUE(file.has_value());
  Bytes memory(400'000);  // aligned, as it is large
  for (const std::size_t offset : {0u, 1u, 4096u, 262'144u, 299'008u, 300'000u, 300'001u})
    for (const std::size_t length : {0u, 1u, 4095u, 4096u, 4097u, 200'000u, 303'104u})
      for (const std::size_t shift : {0u, 1u, 512u}) {
        std::fill(memory.begin(), memory.end(), std::byte{0xee});
        const auto got = read_direct(*file, offset, std::span(memory).subspan(shift, length), "f");
        ASSERT_TRUE(got.has_value()) << got.error().message;
        const std::size_t expected = std::min(length, k_size - offset);
        ASSERT_EQ(*got, expected) << offset << " " << length << " " << shift;
        ASSERT_TRUE(std::equal(bytes.begin() + static_cast<std::ptrdiff_t>(offset),
                               bytes.begin() + static_cast<std::ptrdiff_t>(offset + expected),
                               memory.begin() + static_cast<std::ptrdiff_t>(shift)));
        ASSERT_EQ(memory[shift + length], std::byte{0xee}) << "nothing beyond the buffer";
      }
}

// A disk, and a file system in memory that has no other place than the page cache.
INSTANTIATE_TEST_SUITE_P(Places, DirectFiles, testing::Values("/var/tmp", "/dev/shm"));

}  // namespace
}  // namespace studio::os
