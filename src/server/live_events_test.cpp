#include "server/live_events.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "analysis/event_testing.hpp"
#include "base/concat.hpp"
#include "contract/scratch_directory.hpp"

namespace studio::server {
namespace {

using namespace analysis::testing;

class LiveEventsTest : public ::testing::Test {
 protected:
  void append(const std::string& name, std::string_view bytes) const {
    const std::filesystem::path path = directory_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary | std::ios::app) << bytes;
  }
  // How many scalars there are of each run.
  std::map<std::string, std::size_t> read() {
    std::map<std::string, std::size_t> found;
    files_ = live_.read(directory_.path(), [&](const std::string& run, const analysis::RunContent& content) {
      for (const auto& [tag, points] : content.scalars) found[run] += points.size();
    });
    return found;
  }

  test::ScratchDirectory directory_;
  LiveEvents live_;
  LiveEvents::Files files_;
};

TEST_F(LiveEventsTest, ReadsWhatIsNew) {
  using Found = std::map<std::string, std::size_t>;
  const std::string one = record(event(1, scalar("loss", 1)).text());
  append("tfevents.1", one + one.substr(0, 7));
  EXPECT_EQ(read(), (Found{{"", 1}}));
  append("tfevents.1", one.substr(7));
  append("a/tfevents.1", one);
  EXPECT_EQ(read(), (Found{{"", 2}, {"a", 1}}));
  EXPECT_EQ(files_.paths.size(), 2u);
  EXPECT_TRUE(files_.problems.empty());
  append("a/tfevents.1", std::string(20, 'x'));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(read(), (Found{{"", 2}, {"a", 1}}));
    EXPECT_EQ(files_.problems,
              std::vector<std::string>{concat("a/tfevents.1: the record at byte ", one.size(), " is damaged")});
  }
}

TEST_F(LiveEventsTest, ManyTagsAreBounded) {
  std::string file;
  for (std::size_t i = 0; i < analysis::k_most_tags; ++i) file += record(event(1, scalar(concat("tag", i), 1)).text());
  append("a/tfevents.1", file);
  append("b/tfevents.1", file);
  std::size_t total = 0;
  for (const auto& [run, count] : read()) total += count;
  EXPECT_EQ(total, analysis::k_most_tags);
  EXPECT_EQ(files_.problems, std::vector<std::string>{"only the first 10000 tags are shown"});
}

}  // namespace
}  // namespace studio::server
