// Live files in a directory: the contract, and what becomes of them.
#include "blob/live_directory.hpp"

#include <gmock/gmock.h>

#include "contract/live_files_contract.hpp"
#include "contract/scratch_directory.hpp"

namespace studio::blob {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string text_at(const std::string& path) {
  const auto bytes = os::read_file(path);
  return bytes ? std::string(as_text(*bytes)) : "(none)";
}

struct LocalFiles {
  LiveFiles& files() { return directory; }
  std::string shown(const LiveFile& file) { return text_at(directory.path(file)); }
  test::ScratchDirectory scratch;
  LiveDirectory directory{scratch / "live"};
};
INSTANTIATE_TYPED_TEST_SUITE_P(Local, LiveFilesContract, LocalFiles);

class LiveDirectoryTest : public testing::Test {
 protected:
  std::vector<std::string> attempts() {
    std::vector<std::string> found;
    const auto listed = live_.list([&](const std::string& experiment, std::uint64_t attempt) -> Result<void> {
      found.push_back(concat(experiment, " ", attempt));
      return {};
    });
    EXPECT_TRUE(listed) << listed.error().message;
    return found;
  }

  test::ScratchDirectory scratch_;
  LiveDirectory live_{scratch_ / "live"};
};

TEST_F(LiveDirectoryTest, ListsAndRemovesAttempts) {
  EXPECT_THAT(attempts(), IsEmpty());
  for (const LiveFile& file : {LiveFile{"one", 0, "output"}, {"one", 12, "tb/a/b"}, {"two", 3, "output"}})
    ASSERT_TRUE(live_.append(file, 0, as_bytes("x")));
  EXPECT_THAT(attempts(), UnorderedElementsAre("one 0", "one 12", "two 3"));
  ASSERT_TRUE(live_.remove("one", 12));
  ASSERT_TRUE(live_.remove("two", 3));
  ASSERT_TRUE(live_.remove("two", 3)) << "what is gone is gone";
  EXPECT_THAT(attempts(), ElementsAre("one 0"));
  EXPECT_FALSE(os::exists(scratch_ / "live/two"));
  EXPECT_EQ(text_at(live_.path({"one", 0, "output"})), "x");
}

TEST_F(LiveDirectoryTest, IsForItsUserAlone) {
  ASSERT_TRUE(live_.append({"one", 0, "tb/x"}, 0, as_bytes("x")));
  EXPECT_EQ(os::status(scratch_ / "live").value().st_mode & 0777u, 0700u);
  EXPECT_EQ(os::status(scratch_ / "live/one/0/tb/x").value().st_mode & 0777u, 0600u);
}

TEST_F(LiveDirectoryTest, RefusesWhatWouldGrowTooLarge) {
  const LiveFile file{"one", 0, "output"};
  ASSERT_TRUE(live_.append(file, 0, as_bytes("x")));
  const auto fd = os::open(live_.path(file), O_WRONLY);
  ASSERT_TRUE(os::set_length(fd->get(), LiveDirectory::k_most_bytes - 1, "output"));
  EXPECT_EQ(live_.append(file, LiveDirectory::k_most_bytes - 1, as_bytes("x")).value(), LiveDirectory::k_most_bytes);
  expect_code(live_.append(file, LiveDirectory::k_most_bytes, as_bytes("x")), Code::exhausted);
}

}  // namespace
}  // namespace studio::blob
