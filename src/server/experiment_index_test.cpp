#include "server/experiment_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/concat.hpp"
#include "catalog/memory.hpp"

namespace studio::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ExperimentIndexTest : public testing::Test {
 protected:
  static WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

  model::Experiment experiment(const std::string& key, std::int64_t created) {
    return {.key = key,
            .project = "default",
            .owner = "ada",
            .command = {"train.py", "--lr", "0.1"},
            .directory = "/home/Ada Lovelace",
            .created = at(created),
            .attempt = {.state = model::State::finished, .started = at(created), .ended = at(created + 10)}};
  }
  void create(const model::Experiment& experiment) {
    const auto created = catalog_.create(experiment);
    ASSERT_TRUE(created.has_value()) << created.error().message;
  }

  std::vector<std::string> found(const ExperimentQuery& query) {
    EXPECT_TRUE(index_.refresh().has_value());
    std::vector<std::string> keys;
    for (const auto& each : index_.query(query, at(1000)).experiments) keys.push_back(each->key);
    return keys;
  }

  catalog::MemoryCatalog catalog_;
  ExperimentIndex index_{catalog_};
};

TEST_F(ExperimentIndexTest, ListsTheNewestFirst) {
  EXPECT_THAT(found({}), IsEmpty());
  create(experiment("old", 1));
  create(experiment("new", 3));
  create(experiment("b", 2));
  create(experiment("a", 2));
  EXPECT_THAT(found({}), ElementsAre("new", "a", "b", "old"));
  EXPECT_THAT(found({.sort = {.is_descending = false}}), ElementsAre("old", "a", "b", "new"));
}

TEST_F(ExperimentIndexTest, SortsByEveryColumn) {
  model::Experiment first = experiment("first", 1);
  first.project = "z";
  first.owner = "b";
  first.attempt.state = model::State::running;  // for 999 s
  first.attempt.ended.reset();
  model::Experiment second = experiment("second", 2);
  second.project = "y";
  second.owner = "c";
  second.attempt.state = model::State::failed;
  second.attempt.started = at(500);
  second.attempt.ended = at(501);
  create(first);
  create(second);
  for (const auto& [column, is_first] :
       {std::pair(SortKey::created, true), std::pair(SortKey::key, true), std::pair(SortKey::project, false),
        std::pair(SortKey::owner, true), std::pair(SortKey::status, false), std::pair(SortKey::started, true),
        std::pair(SortKey::duration, false)}) {
    EXPECT_EQ(found({.sort = {.key = column, .is_descending = false}})[0], is_first ? "first" : "second");
    EXPECT_EQ(found({.sort = {.key = column, .is_descending = true}})[0], is_first ? "second" : "first");
  }
}

TEST_F(ExperimentIndexTest, SortsByAMetric) {
  const auto create_with = [&](const std::string& key, std::vector<model::Metric> metrics) {
    model::Experiment each = experiment(key, 1);
    each.attempt.metrics = std::move(metrics);
    create(each);
  };
  const auto loss = [](double value) {
    return model::Metric{"loss", model::MetricGoal::min, model::Metric::Value{value, 1}};
  };
  create_with("none", {});
  create_with("bad", {loss(3)});
  create_with("good", {loss(1), {"acc", model::MetricGoal::max, {}}});
  create_with("alike", {loss(1)});
  create_with("unborn", {{"loss", model::MetricGoal::min, {}}});
  const auto sorted = [&](bool is_descending) {
    return found({.sort = {.key = SortKey::metric, .name = "loss", .is_descending = is_descending}});
  };
  EXPECT_THAT(sorted(false), ElementsAre("alike", "good", "bad", "none", "unborn"));
  EXPECT_THAT(sorted(true), ElementsAre("bad", "alike", "good", "none", "unborn"));
  EXPECT_THAT(index_.query({}, at(0)).metrics, ElementsAre("loss", "acc"));
}

TEST_F(ExperimentIndexTest, SortsByAParameter) {
  const auto create_with = [&](const std::string& key, std::vector<std::string> command) {
    model::Experiment each = experiment(key, 1);
    each.command = std::move(command);
    create(each);
  };
  create_with("none", {"t"});
  create_with("auto", {"t", "--lr", "auto"});
  create_with("both", {"t", "--lr", "1", "--lr", "2"});
  create_with("ten", {"t", "lr=10"});
  create_with("nine", {"t", "--lr=9"});
  create_with("alike", {"t", "--lr=9.0"});
  create_with("small", {"t", "--lr", "-1e-3"});
  create_with("least", {"t", "--lr=-inf"});
  create_with("nan", {"t", "--lr=nan"});
  const auto sorted = [&](bool is_descending) {
    return found({.sort = {.key = SortKey::parameter, .name = "lr", .is_descending = is_descending}});
  };
  EXPECT_THAT(sorted(false), ElementsAre("least", "small", "alike", "nine", "ten", "both", "auto", "nan", "none"));
  EXPECT_THAT(sorted(true), ElementsAre("ten", "alike", "nine", "small", "least", "nan", "auto", "both", "none"));
}

TEST_F(ExperimentIndexTest, NamesTheParametersOfThoseThatMatch) {
  const auto create_with = [&](const std::string& key, std::vector<std::string> command) {
    model::Experiment each = experiment(key, 1);
    each.command = std::move(command);
    create(each);
  };
  create_with("a1", {"t", "--same", "1", "--few=1", "--lr", "0.1"});
  create_with("a2", {"t", "--same", "1", "--lr", "0.2"});
  create_with("b", {"t", "--other", "1"});
  const auto names = [&](const ExperimentQuery& query) {
    EXPECT_TRUE(index_.refresh().has_value());
    return index_.query(query, at(0)).parameters;
  };
  using Names = std::vector<ParameterName>;
  EXPECT_EQ(names({.key_prefix = "a"}), (Names{{"lr", true}, {"few", true}, {"same", false}}));
  EXPECT_EQ(names({.key_prefix = "b"}), (Names{{"other", false}}));
  EXPECT_EQ(names({.limit = 0}), (Names{{"lr", true}, {"same", true}, {"few", true}, {"other", true}}));

  // Another attempt may have others.
  model::Experiment changed = catalog_.load("b").value();
  changed.command = {"t", "--more", "1", "2"};
  ASSERT_TRUE(catalog_.update(changed).has_value());
  EXPECT_EQ(names({.key_prefix = "b"}), (Names{{"argument 1", false}, {"more", false}}));
  std::vector<std::string> many{"t"};
  for (int i = 0; i < 80; ++i) many.push_back(concat("p", i, "=1"));
  create_with("c", many);
  EXPECT_EQ(names({}).size(), 50u);
}

TEST_F(ExperimentIndexTest, SearchesWordsInAllThatNamesAnExperiment) {
  create(experiment("MNIST-1", 1));
  model::Experiment other = experiment("cifar", 2);
  other.project = "Vision";
  create(other);
  EXPECT_THAT(found({.words = {"mnist"}}), ElementsAre("MNIST-1"));
  EXPECT_THAT(found({.words = {"VISION", "train.py"}}), ElementsAre("cifar"));
  EXPECT_THAT(found({.words = {"lovelace"}}), ElementsAre("cifar", "MNIST-1"));
  EXPECT_THAT(found({.words = {"ada", "mnist", "vision"}}), IsEmpty());
  EXPECT_THAT(found({.words = {"--lr"}}).size(), 2u);
  EXPECT_THAT(found({.project = "Vision"}), ElementsAre("cifar"));
  EXPECT_THAT(found({.key_prefix = "MN"}), ElementsAre("MNIST-1"));
  EXPECT_THAT(found({.states = {model::State::failed}}), IsEmpty());
  EXPECT_THAT(found({.states = {model::State::failed, model::State::finished}}).size(), 2u);
}

TEST_F(ExperimentIndexTest, ShowsWhatWasDeletedApart) {
  create(experiment("a", 1));
  create(experiment("b", 2));
  EXPECT_THAT(found({.deleted = true}), IsEmpty());
  const std::uint64_t before = index_.sequence();
  model::Experiment changed = catalog_.load("a").value();
  changed.deleted = at(500);
  ASSERT_TRUE(catalog_.update(changed).has_value());
  EXPECT_THAT(found({}), ElementsAre("b"));
  EXPECT_THAT(found({.deleted = true}), ElementsAre("a"));
  EXPECT_THAT(found({.key_prefix = "b", .deleted = true}), IsEmpty());
  EXPECT_EQ(index_.changes(before).experiments.at(0).experiment->deleted, at(500));
  changed.deleted.reset();
  changed.revision = 2;
  ASSERT_TRUE(catalog_.update(changed).has_value());
  EXPECT_THAT(found({}), ElementsAre("b", "a"));
}

TEST_F(ExperimentIndexTest, PagesFitTogether) {
  std::vector<std::string> all;
  for (int i = 0; i < 100; ++i) {
    create(experiment(concat("e", i), i % 7));
    all.push_back(concat("e", i));
  }
  std::vector<std::string> paged;
  for (std::uint64_t offset = 0; offset < 120; offset += 30)
    for (const std::string& key : found({.offset = offset, .limit = 30})) paged.push_back(key);
  EXPECT_EQ(paged, found({.limit = 1000}));
  std::ranges::sort(paged);
  std::ranges::sort(all);
  EXPECT_EQ(paged, all);
  EXPECT_EQ(index_.query({.offset = 99, .limit = 0}, at(0)).total, 100u);
}

TEST_F(ExperimentIndexTest, TellsWhatHasChanged) {
  create(experiment("a", 1));
  ASSERT_TRUE(index_.refresh().has_value());
  const std::uint64_t before = index_.sequence();
  EXPECT_THAT(index_.changes(before).experiments, IsEmpty());

  model::Experiment changed = catalog_.load("a").value();
  changed.attempt.state = model::State::lost;
  ASSERT_TRUE(catalog_.update(changed).has_value());
  create(experiment("b", 2));
  ASSERT_TRUE(index_.refresh().has_value());
  const ExperimentChanges changes = index_.changes(before);
  EXPECT_TRUE(changes.is_all);
  ASSERT_EQ(changes.experiments.size(), 2u);
  EXPECT_EQ(changes.experiments[0].experiment->state(), model::State::lost);
  EXPECT_EQ(changes.experiments[1].experiment->key, "b");
  EXPECT_THAT(found({}), ElementsAre("b", "a"));
  EXPECT_FALSE(index_.changes(index_.sequence() + 1).is_all) << "a moment of another catalog";
}

TEST_F(ExperimentIndexTest, ForgetsOldChangesAndSaysSo) {
  create(experiment("first", 1));
  ASSERT_TRUE(index_.refresh().has_value());
  const std::uint64_t before = index_.sequence();
  for (int i = 0; i < 5000; ++i) create(experiment(concat("e", i), i));
  ASSERT_TRUE(index_.refresh().has_value());
  EXPECT_FALSE(index_.changes(before).is_all);
  EXPECT_TRUE(index_.changes(index_.sequence()).is_all);
  EXPECT_EQ(index_.query({}, at(0)).total, 5001u);
}

TEST_F(ExperimentIndexTest, TellsWhoReusesAnExperiment) {
  const auto attempt = [](std::uint64_t number, const std::string& tag, std::uint64_t version) {
    model::Artifact artifact{.tag = "weights", .path = "/w", .mode = model::CaptureMode::reuse};
    artifact.source = {"source", tag, version};
    return model::Attempt{.number = number, .state = model::State::finished, .artifacts = {artifact}};
  };
  const auto run_again = [&](const std::string& key, model::Attempt next) {
    ASSERT_TRUE(catalog::redo_update(catalog_, key, [&](model::Experiment& each) -> Result<void> {
      each.attempt = next;
      return {};
    }));
  };
  const auto told = [&] {
    EXPECT_TRUE(index_.refresh().has_value());
    std::vector<std::string> all;
    const auto found = index_.reuses("source", 10);
    EXPECT_TRUE(found.has_value());
    for (const Reuse& each : found->reuses)
      all.push_back(concat(each.source_tag, "@", each.version, " ", each.experiment, "/", each.attempt));
    return all;
  };
  create(experiment("source", 1));
  model::Experiment user = experiment("user", 2);
  user.attempt = attempt(0, "tb", 3);
  create(user);
  run_again("user", attempt(1, "modeldir", 10));
  run_again("user", {.number = 2, .state = model::State::finished});
  // The record of its last attempt tells nothing of it.
  EXPECT_THAT(told(), ElementsAre("modeldir@10 user/1", "tb@3 user/0"));
  run_again("user", attempt(3, "tb", 3));
  EXPECT_THAT(told(), ElementsAre("modeldir@10 user/1", "tb@3 user/3"));
  run_again("user", attempt(4, "modeldir", 2));
  run_again("user", {.number = 5, .state = model::State::finished});  // nobody has looked meanwhile
  EXPECT_THAT(told(), ElementsAre("modeldir@2 user/4", "modeldir@10 user/1", "tb@3 user/3"));
  const auto cut = index_.reuses("source", 1);
  EXPECT_EQ(cut->reuses.size(), 1u);
  EXPECT_EQ(cut->total, 3u);
  EXPECT_TRUE(index_.reuses("user", 10)->reuses.empty());
}

}  // namespace
}  // namespace studio::server
