#include "engine/capture.hpp"

#include "engine/engine_testing.hpp"
#include "engine/ledger.hpp"
#include "os/atomic_file.hpp"

namespace studio::engine {
namespace {

using model::CaptureReason;

class CaptureTest : public EngineTest {
 protected:
  Capturer capturer(std::uint64_t attempt = 0) { return {services_, "exp", attempt, path("output"), {home_.root}}; }
  Services services_ = services();
  const model::Artifact weights_{.tag = "weights", .path = path("weights")};
};

TEST_F(CaptureTest, MakesAVersionOnlyWhenSomethingChanged) {
  make_experiment("exp");
  Capturer capturer = this->capturer();
  write("weights/a", "1");
  const auto first = capturer.capture(weights_, CaptureReason::interval);
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_TRUE(first->is_new);
  EXPECT_EQ(first->version, 0u);
  EXPECT_FALSE(capturer.capture(weights_, CaptureReason::interval)->is_new);
  write("weights/b", "2");
  const auto second = capturer.capture(weights_, CaptureReason::final);
  EXPECT_TRUE(second->is_new);
  EXPECT_EQ(second->version, 1u);

  const auto versions = catalog_.versions("exp", "weights").value();
  ASSERT_EQ(versions.size(), 2u);
  EXPECT_EQ(versions[1].changes, (model::Changes{.added = 1}));
  EXPECT_EQ(versions[1].reason, CaptureReason::final);
  EXPECT_EQ(repository_->published("exp").value(), versions);

  std::vector<model::Artifact> artifacts{weights_};
  capturer.fill_versions(artifacts);
  EXPECT_EQ(artifacts[0].first_version, 0u);
  EXPECT_EQ(artifacts[0].last_version, 1u);
}

TEST_F(CaptureTest, AMissingPathIsEmptyOnlyAtTheEnd) {
  make_experiment("exp");
  Capturer capturer = this->capturer();
  const auto missing = capturer.capture(weights_, CaptureReason::interval);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_TRUE(capturer.capture(weights_, CaptureReason::final).has_value());
  EXPECT_EQ(catalog_.latest("exp", "weights").value()->totals, model::Totals());
}

TEST_F(CaptureTest, ASupersededAttemptCommitsNothing) {
  make_experiment("exp");
  begin_attempt("exp");
  write("weights/a", "stale");
  Capturer zombie = capturer(0);
  const auto refused = zombie.capture(weights_, CaptureReason::final);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_TRUE(catalog_.versions("exp", std::nullopt)->empty());
  EXPECT_TRUE(repository_->published("exp")->empty());
}

TEST_F(CaptureTest, AVersionPublishedByAWriterThatDiedIsAdoptedNotOverwritten) {
  make_experiment("exp");
  write("weights/a", "1");
  Capturer first = capturer();
  ASSERT_TRUE(first.capture(weights_, CaptureReason::interval).has_value());
  model::Version orphan = *catalog_.latest("exp", "weights").value();
  orphan.number = 1;
  ASSERT_TRUE(repository_->publish(orphan).has_value());

  write("weights/a", "22");
  const auto captured = first.capture(weights_, CaptureReason::interval);
  ASSERT_TRUE(captured.has_value()) << captured.error().message;
  EXPECT_EQ(captured->version, 2u);
  EXPECT_EQ(catalog_.versions("exp", "weights")->size(), 3u);
}

TEST_F(CaptureTest, StudiosOwnDirectoryIsLeftOutAndToldOnce) {
  make_experiment("exp");
  write("home/secret", "s");
  write("a", "1");
  Capturer capturer = this->capturer();
  const model::Artifact workspace{.tag = "workspace", .path = directory_.path()};
  ASSERT_TRUE(capturer.capture(workspace, CaptureReason::start).has_value());
  ASSERT_TRUE(capturer.capture(workspace, CaptureReason::final).has_value());
  EXPECT_EQ(times_told("'home' is left out"), 1);
}

TEST_F(CaptureTest, TheLoopCapturesAtOnceAndThenEveryInterval) {
  make_experiment("exp");
  write("weights/a", "1");
  write("workspace/a", "1");
  const model::Artifact workspace{.tag = "workspace", .path = path("workspace")};
  Capturer capturer = this->capturer();
  const auto has_version = [&](const std::string& tag) { return catalog_.latest("exp", tag).value().has_value(); };
  const auto wait_for = [&](const std::string& tag) {
    const WallTime deadline = clock_.now() + std::chrono::seconds(60);
    while (!has_version(tag) && clock_.now() < deadline)
      clock_.sleep_until(clock_.now() + std::chrono::milliseconds(2));
    return has_version(tag);
  };
  {
    const CaptureLoop loop(capturer, report_, {workspace, weights_}, {"workspace"}, std::chrono::hours(1), [] {});
    EXPECT_TRUE(wait_for("workspace"));
  }
  EXPECT_FALSE(has_version("weights"));
  const CaptureLoop loop(capturer, report_, {workspace, weights_}, {}, std::chrono::milliseconds(5), [] {});
  EXPECT_TRUE(wait_for("weights"));
  EXPECT_EQ(catalog_.latest("exp", "workspace").value()->reason, CaptureReason::start);
}

}  // namespace
}  // namespace studio::engine
