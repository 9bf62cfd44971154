// What becomes of the copies of what runs elsewhere.
#include "server/live_file_routes.hpp"

#include <gtest/gtest.h>

#include "blob/remote_live_files.hpp"
#include "server/team_testing.hpp"

namespace studio::server {
namespace {

using testing::TeamServer;

class LiveFileRoutesTest : public ::testing::Test {
 protected:
  LiveFileRoutesTest() { make("exp"); }

  void make(const std::string& key) {
    EXPECT_TRUE(team_.catalog.create({.key = key, .project = "p", .owner = "ada", .created = team_.clock.now()}));
  }
  void end(const std::string& key) {
    EXPECT_TRUE(catalog::redo_update(team_.catalog, key, [](model::Experiment& experiment) -> Result<void> {
      experiment.last().state = model::State::finished;
      return {};
    }));
  }
  static blob::LiveFile output(const std::string& key, std::uint64_t attempt = 0) { return {key, attempt, "output"}; }
  bool has_copy(const std::string& key) { return os::exists(team_.live_files.path(output(key))); }

  TeamServer team_;
  blob::RemoteLiveFiles files_{team_.client(team_.add("ada", Scope::work))};
};

TEST_F(LiveFileRoutesTest, TakesNothingOfWhatDoesNotRun) {
  ASSERT_TRUE(files_.append(output("exp"), 0, as_bytes("x")));
  EXPECT_EQ(files_.append(output("exp", 1), 0, as_bytes("x")).error().code, Code::conflict);
  EXPECT_EQ(files_.append(output("none"), 0, as_bytes("x")).error().code, Code::not_found);
  end("exp");
  EXPECT_EQ(files_.append(output("exp"), 1, as_bytes("x")).error().code, Code::conflict);
  EXPECT_EQ(files_.replace(output("exp"), as_bytes("x")).error().code, Code::conflict);
}

TEST_F(LiveFileRoutesTest, KeepsWhatRunsAndWhatTheStoreDoesNotHave) {
  make("dead");
  for (const char* key : {"exp", "dead"}) ASSERT_TRUE(files_.append(output(key), 0, as_bytes("x")));
  end("dead");
  ASSERT_TRUE(remove_stored_live_files(team_.backend()));
  EXPECT_TRUE(has_copy("exp"));
  EXPECT_TRUE(has_copy("dead"));
}

TEST_F(LiveFileRoutesTest, ShowsTheLastWordsOfAMachineThatDied) {
  ASSERT_TRUE(files_.append(output("exp"), 0, as_bytes("last words")));
  end("exp");
  const auto shown =
      team_.client(team_.root_token)->call({.method = "GET", .target = "/api/v1/experiments/exp/attempts/0/output"});
  ASSERT_TRUE(shown.body) << shown.body.error().message;
  EXPECT_EQ(as_text(*shown.body), "last words");
}

TEST_F(LiveFileRoutesTest, RemovesWhatHoldsNoOutputOrBelongsToNoExperiment) {
  ASSERT_TRUE(files_.replace({"exp", 0, "resources.json"}, as_bytes("{}")));
  ASSERT_TRUE(team_.live_files.append({"unknown", 0, "output"}, 0, as_bytes("x")));
  end("exp");
  ASSERT_TRUE(remove_stored_live_files(team_.backend()));
  EXPECT_FALSE(os::exists(team_.live_files.path({"exp", 0, "resources.json"})));
  EXPECT_FALSE(has_copy("unknown"));
}

}  // namespace
}  // namespace studio::server
