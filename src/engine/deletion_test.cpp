#include "engine/deletion.hpp"

#include <gmock/gmock.h>

#include "engine/engine_testing.hpp"
#include "engine/recovery.hpp"
#include "os/child.hpp"
#include "os/process_tree.hpp"

namespace studio::engine {
namespace {

using ::testing::HasSubstr;

class DeletionTest : public EngineTest {
 protected:
  void make(const std::string& key, model::State state) {
    make_experiment(key);
    change(key, [&](model::Experiment& experiment) { experiment.last().state = state; });
  }
  void change(const std::string& key, const std::function<void(model::Experiment&)>& change) {
    ASSERT_TRUE(catalog::redo_update(catalog_, key, [&](model::Experiment& experiment) -> Result<void> {
      change(experiment);
      return {};
    }));
  }
  Services services_ = services();
};

TEST_F(DeletionTest, IsAMarkThatARebuiltCatalogKnows) {
  make("exp", model::State::failed);
  const model::Experiment before = catalog_.load("exp").value();
  const auto deleted = delete_experiment(services_, "exp");
  ASSERT_TRUE(deleted && deleted->deleted.has_value());
  EXPECT_EQ(catalog_.load("exp").value(), *deleted);
  const auto rebuilt = [&] {
    catalog::MemoryCatalog fresh;
    EXPECT_EQ(rebuild_catalog({home_, clock_, fresh, *repository_, report_}).value(), 1u);
    return fresh.load("exp")->deleted;
  };
  EXPECT_EQ(rebuilt(), deleted->deleted);
  EXPECT_EQ(delete_experiment(services_, "exp")->deleted, deleted->deleted) << "it keeps its time";

  model::Experiment restored = restore_experiment(services_, "exp").value();
  EXPECT_EQ(rebuilt(), std::nullopt);
  restored.revision = before.revision;
  EXPECT_EQ(restored, before) << "as it was";
  EXPECT_TRUE(restore_experiment(services_, "exp"));
  EXPECT_EQ(delete_experiment(services_, "none").error().code, Code::not_found);
  EXPECT_EQ(restore_experiment(services_, "none").error().code, Code::not_found);
}

TEST_F(DeletionTest, WhatRunsCannotBeDeleted) {
  for (const model::State state : {model::State::starting, model::State::running}) {
    const std::string key(model::name_of(state));
    make(key, state);
    const auto refused = delete_experiment(services_, key);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
    EXPECT_THAT(refused.error().hint, HasSubstr("'studio runs stop " + key + "'"));
    EXPECT_FALSE(catalog_.load(key)->deleted);
  }
}

TEST_F(DeletionTest, NorALostOneWhoseScriptGoesOn) {
  make("exp", model::State::lost);
  auto script = os::spawn({.argv = {"/bin/sleep", "600"}, .new_group = true});
  ASSERT_TRUE(script);
  change("exp", [&](model::Experiment& experiment) {
    experiment.last().process.script_pid = script->pid();
    experiment.last().process.script_start = os::start_time_of(script->pid()).value_or(0);
  });
  EXPECT_EQ(delete_experiment(services_, "exp").error().code, Code::conflict);
  ::kill(script->pid(), SIGKILL);
  ASSERT_TRUE(script->wait());
  EXPECT_TRUE(delete_experiment(services_, "exp"));
}

TEST_F(DeletionTest, WhatIsDeletedCannotBeUsed) {
  make("exp", model::State::finished);
  EXPECT_TRUE(check_not_deleted(catalog_.load("exp").value()));
  const auto refused = check_not_deleted(delete_experiment(services_, "exp").value());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_THAT(refused.error().hint, HasSubstr("'studio runs restore exp'"));
}

}  // namespace
}  // namespace studio::engine
