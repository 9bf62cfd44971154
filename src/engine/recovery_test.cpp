#include "engine/recovery.hpp"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "blob/fault.hpp"
#include "engine/attempt.hpp"
#include "engine/capture.hpp"
#include "engine/engine_testing.hpp"
#include "engine/ledger.hpp"
#include "os/atomic_file.hpp"
#include "os/child.hpp"
#include "os/file_lock.hpp"

namespace studio::engine {
namespace {

class RecoveryTest : public EngineTest {
 protected:
  model::State state_of(const std::string& key) { return catalog_.load(key)->state(); }
  Services services_ = services();
};

TEST_F(RecoveryTest, ARunWhoseStudioIsGoneBecomesLostWithItsReason) {
  make_experiment("exp");
  ASSERT_TRUE(repair(services_).has_value());
  EXPECT_EQ(state_of("exp"), model::State::lost);
  EXPECT_EQ(catalog_.load("exp")->last().failure, "studio");
  EXPECT_TRUE(was_told("experiment exp is lost"));
  messages_.clear();
  ASSERT_TRUE(repair(services_).has_value());
  EXPECT_TRUE(messages_.empty());
}

TEST_F(RecoveryTest, ALiveRunAndOneOfAnotherMachineAreLeftAlone) {
  make_experiment("mine");
  const auto lock = os::FileLock::acquire(home_.run_lock("mine"));
  model::Experiment other = make_experiment("other");
  other.last().process.host = "elsewhere";
  ASSERT_TRUE(catalog_.update(other).has_value());
  ASSERT_EQ(::unlink(home_.run_lock("other").c_str()), 0);
  ASSERT_TRUE(repair(services_).has_value());
  EXPECT_EQ(state_of("mine"), model::State::running);
  EXPECT_EQ(state_of("other"), model::State::running) << "it was started with another home";
}

TEST_F(RecoveryTest, RunsOfOtherMachinesUnderNamesThatWereUsedHereAreLeftAlone) {
  const Services shared{home_, clock_, catalog_, *repository_, report_, true};
  model::Experiment other =
      make_experiment("other", {{.tag = "output", .path = home_.attempt("other", 0) + "/output"}});
  other.last().process.host = "elsewhere";
  ASSERT_TRUE(catalog_.update(other).has_value());
  ASSERT_TRUE(os::make_directories(home_.attempt("other", 0)).has_value());
  make_experiment("namesake",
                  {{.tag = "output", .path = "/home/another/.studioml/experiments/namesake/attempts/0/output"}});
  make_experiment("mine", {{.tag = "output", .path = home_.attempt("mine", 0) + "/output"}});
  ASSERT_TRUE(os::make_directories(home_.attempt("mine", 0)).has_value());
  ASSERT_TRUE(repair(shared).has_value());
  EXPECT_EQ(state_of("other"), model::State::running);
  EXPECT_EQ(state_of("namesake"), model::State::running) << "its machine has the name of this one";
  EXPECT_EQ(state_of("mine"), model::State::lost);
}

// A number that no process has: the process that had it is reaped.
pid_t number_of_the_dead() {
  auto child = os::spawn({.argv = {"/bin/true"}});
  EXPECT_TRUE(child.has_value() && child->wait().has_value());
  return child->pid();
}

// Its first pause ends with the holder of the lock.
struct PausingClock : SystemClock {
  void sleep_until(WallTime) const override { holder.reset(); }
  mutable std::optional<os::FileLock> holder;
};

TEST_F(RecoveryTest, AChildThatADeadStudioWasStartingDoesNotKeepTheName) {
  model::Experiment run = make_experiment("exp");
  run.last().process.studio_pid = number_of_the_dead();
  ASSERT_TRUE(catalog_.update(run).has_value());
  PausingClock clock;
  clock.holder = os::FileLock::try_acquire(home_.run_lock("exp")).value();
  ASSERT_TRUE(clock.holder.has_value());
  const Services services{home_, clock, catalog_, *repository_, report_};
  const auto lock = take_run_lock(services, "exp");
  ASSERT_TRUE(lock.has_value()) << lock.error().message;
  EXPECT_EQ(state_of("exp"), model::State::lost);
}

TEST_F(RecoveryTest, ANameIsInUseWhileItsStudioLives) {
  model::Experiment run = make_experiment("exp");
  run.last().process.studio_pid = ::getpid();
  ASSERT_TRUE(catalog_.update(run).has_value());
  const auto held = os::FileLock::acquire(home_.run_lock("exp"));
  const auto lock = take_run_lock(services_, "exp");
  ASSERT_FALSE(lock.has_value());
  EXPECT_EQ(lock.error().message, "experiment 'exp' is running");
}

TEST_F(RecoveryTest, ARunOfAContainerThatHadAnotherNameIsLostToo) {
  model::Experiment run = make_experiment("exp");
  run.last().process.host = "3f2a9c";
  ASSERT_TRUE(catalog_.update(run).has_value());
  ASSERT_TRUE(repair(services_).has_value());
  EXPECT_EQ(state_of("exp"), model::State::lost) << "nobody holds its lock";
}

TEST_F(RecoveryTest, ARepairThatFailsIsTriedAgain) {
  const std::string output = home_.attempt("exp", 0) + k_output_file;
  ASSERT_TRUE(make_attempt_directory(home_, "exp", 0).has_value());
  std::ofstream(output) << "last words\n";
  make_experiment("exp", {{.tag = "output", .path = output, .is_default = true}});
  bool broken = true;
  blob::FaultStore store(store_, [&](blob::Call call, std::string_view, std::uint64_t) -> std::optional<blob::Fault> {
    if (!broken || call != blob::Call::list) return std::nullopt;
    return blob::Fault{{Code::unavailable, "connection refused"}, blob::Fault::When::before};
  });
  const auto repository = content::Repository::open(store, clock_, {});
  const Services services{home_, clock_, catalog_, **repository, report_};
  ASSERT_TRUE(repair(services).has_value());
  EXPECT_EQ(state_of("exp"), model::State::running) << "not lost before what is left of it is safe";
  EXPECT_TRUE(was_told("connection refused"));
  broken = false;
  ASSERT_TRUE(repair(services).has_value());
  EXPECT_EQ(state_of("exp"), model::State::lost);
  EXPECT_TRUE(catalog_.latest("exp", "output").value().has_value());
}

TEST_F(RecoveryTest, TheOutputOfALostRunIsCaptured) {
  const std::string output = home_.attempt("exp", 0) + k_output_file;
  ASSERT_TRUE(make_attempt_directory(home_, "exp", 0).has_value());
  std::ofstream(output) << "last words\n";
  make_experiment("exp", {{.tag = "output", .path = output, .is_default = true}, {.tag = "w", .path = path("w")}});
  ASSERT_TRUE(repair(services_).has_value());
  const auto version = catalog_.latest("exp", "output").value();
  ASSERT_TRUE(version.has_value());
  EXPECT_EQ(version->reason, model::CaptureReason::recovered);
  EXPECT_EQ(version->totals.bytes, 11u);
  EXPECT_EQ(catalog_.load("exp")->last().artifacts[0].last_version, 0u);
  EXPECT_FALSE(catalog_.latest("exp", "w")->has_value()) << "the user's directories may have changed since";
}

TEST_F(RecoveryTest, APublishedVersionThatTheCatalogMissesIsAdopted) {
  make_experiment("exp");
  write("w/a", "1");
  Capturer capturer(services_, "exp", 0, "", {});
  ASSERT_TRUE(capturer.capture({.tag = "w", .path = path("w")}, model::CaptureReason::interval).has_value());
  model::Version version = *catalog_.latest("exp", "w").value();
  version.number = 1;
  ASSERT_TRUE(repository_->publish(version).has_value());
  ASSERT_TRUE(repair(services_).has_value());
  EXPECT_EQ(catalog_.latest("exp", "w").value()->number, 1u);
}

TEST_F(RecoveryTest, AnEmptyCatalogIsFilledFromTheStore) {
  make_experiment("exp");
  write("w/a", "1");
  Capturer capturer(services_, "exp", 0, "", {});
  ASSERT_TRUE(capturer.capture({.tag = "w", .path = path("w")}, model::CaptureReason::interval).has_value());
  mirror(services_, catalog_.load("exp").value());

  catalog::MemoryCatalog fresh;
  const Services rebuilt{home_, clock_, fresh, *repository_, report_};
  EXPECT_EQ(rebuild_catalog(rebuilt).value(), 1u);
  EXPECT_EQ(fresh.load("exp")->project, "p");
  EXPECT_EQ(fresh.versions("exp", std::nullopt).value(), catalog_.versions("exp", std::nullopt).value());
}

TEST_F(RecoveryTest, TheStoreHasEveryAttempt) {
  make_experiment("exp");
  mirror(services_, catalog_.load("exp").value());
  for (int i = 0; i < 3; ++i) {
    begin_attempt("exp");
    // The middle one was not mirrored: its Studio died at once.
    if (i != 1) mirror(services_, catalog_.load("exp").value());
  }
  const auto attempts = catalog_.attempts("exp", 0).value();
  ASSERT_EQ(attempts.size(), 4u);
  const auto rebuild = [&] {
    catalog::MemoryCatalog fresh;
    const Services rebuilt{home_, clock_, fresh, *repository_, report_};
    EXPECT_EQ(rebuild_catalog(rebuilt).value(), 1u);
    return fresh.attempts("exp", 0).value();
  };
  EXPECT_EQ(rebuild(), attempts);
  EXPECT_EQ(repository_->objects().get(attempt_key("exp", 3)).error().code, Code::not_found) << "it may still change";
  // Damage to one costs that one.
  ASSERT_TRUE(blob::put(repository_->objects(), attempt_key("exp", 1), as_bytes(std::string_view("{}"))));
  EXPECT_EQ(rebuild(), (std::vector{attempts[0], attempts[2], attempts[3]}));
  EXPECT_TRUE(was_told(attempt_key("exp", 1) + " is left out"));
}

// An older Studio wrote all attempts into the record of the experiment, and no others.
TEST_F(RecoveryTest, AttemptsInAnOldRecordAreNotLost) {
  make_experiment("exp");
  begin_attempt("exp");
  begin_attempt("exp");
  const auto attempts = catalog_.attempts("exp", 0).value();
  nlohmann::json record = model::to_json(catalog_.load("exp").value());
  record["attempts"] = nlohmann::json::array();
  for (const model::Attempt& attempt : attempts) record["attempts"].push_back(model::to_json(attempt, "exp"));
  ASSERT_TRUE(blob::put(repository_->objects(), record_key("exp"), as_bytes(record.dump())));
  catalog::MemoryCatalog fresh;
  const Services rebuilt{home_, clock_, fresh, *repository_, report_};
  EXPECT_EQ(rebuild_catalog(rebuilt).value(), 1u);
  EXPECT_EQ(fresh.attempts("exp", 0).value(), attempts);
  mirror(rebuilt, fresh.load("exp").value());
  EXPECT_TRUE(repository_->objects().get(attempt_key("exp", 0)).has_value());
  EXPECT_TRUE(repository_->objects().get(attempt_key("exp", 1)).has_value());
}

}  // namespace
}  // namespace studio::engine
