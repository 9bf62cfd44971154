// What every catalog::Catalog must do. A backend's test instantiates it:
//
//   struct MyBackend {
//     catalog::Catalog& catalog();  // empty at first, the same one each time
//     catalog::Catalog& another();  // the same records, as another process would open them; may be catalog() itself
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, CatalogContract, MyBackend);
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>

#include "base/concat.hpp"
#include "catalog/catalog.hpp"
#include "contract/contract.hpp"

namespace studio::catalog {

inline model::Experiment make_experiment(const std::string& key, std::int64_t created_seconds = 0) {
  model::Experiment experiment;
  experiment.key = key;
  experiment.project = "default";
  experiment.owner = "ada";
  experiment.command = {"train.py", "\xff not UTF-8"};
  experiment.directory = "/home/ada";
  experiment.studio_version = "0.1.0";
  experiment.created = WallTime(std::chrono::seconds(created_seconds));
  return experiment;
}

inline model::Version make_version(const std::string& key, const std::string& tag, std::uint64_t number) {
  model::Version version;
  version.experiment = key;
  version.tag = tag;
  version.number = number;
  version.root = {number + 1, 0, Sha256::of(as_bytes(concat(number)))};
  return version;
}

using test::expect_code;
using test::in_threads;

template <class Backend>
class CatalogContract : public testing::Test {
 protected:
  Catalog& catalog() { return backend_.catalog(); }
  Catalog& another() { return backend_.another(); }

  void create(const model::Experiment& experiment) {
    const auto created = catalog().create(experiment);
    ASSERT_TRUE(created.has_value()) << created.error().message;
  }

  model::Experiment load(const std::string& key) {
    const auto experiment = another().load(key);
    EXPECT_TRUE(experiment.has_value()) << experiment.error().message;
    return experiment.value_or(make_experiment("missing"));
  }

  std::vector<std::string> keys(const Filter& filter, std::size_t limit = 1000) {
    std::vector<std::string> found;
    const auto experiments = another().list(filter, limit);
    EXPECT_TRUE(experiments.has_value()) << experiments.error().message;
    EXPECT_THAT(experiments->unreadable, testing::IsEmpty());
    for (const auto& experiment : experiments->experiments) found.push_back(experiment.key);
    return found;
  }

  void commit(const std::string& key, const std::string& tag, std::uint64_t number, std::uint64_t token = 0) {
    const auto committed = catalog().commit(make_version(key, tag, number), token);
    ASSERT_TRUE(committed.has_value()) << committed.error().message;
  }

  Backend backend_;
};

TYPED_TEST_SUITE_P(CatalogContract);

TYPED_TEST_P(CatalogContract, GivesBackWhatWasCreated) {
  model::Experiment experiment = make_experiment("mnist", 1'790'000'000);
  experiment.revision = 77;
  this->create(experiment);
  experiment.revision = 1;
  EXPECT_EQ(this->load("mnist"), experiment);
}

TYPED_TEST_P(CatalogContract, TakesAKeyOnce) {
  this->create(make_experiment("k", 1));
  expect_code(this->another().create(make_experiment("k", 2)), Code::already_exists);
  EXPECT_EQ(this->load("k").created, WallTime(std::chrono::seconds(1)));
  this->create(make_experiment("K", 2));
}

TYPED_TEST_P(CatalogContract, TellsWhatIsNotThere) {
  this->create(make_experiment("k"));
  for (const std::string& key :
       {std::string("none"), std::string(), std::string("k\0", 2), std::string("\xff"), std::string("k' OR 1=1 --")}) {
    expect_code(this->catalog().load(key), Code::not_found);
    const auto versions = this->catalog().versions(key, {});
    ASSERT_TRUE(versions.has_value());
    EXPECT_THAT(*versions, testing::IsEmpty());
    const auto latest = this->catalog().latest(key, "t");
    ASSERT_TRUE(latest.has_value());
    EXPECT_FALSE(latest->has_value());
    const auto version = this->catalog().version(key, "t", 0);
    ASSERT_TRUE(version.has_value());
    EXPECT_FALSE(version->has_value());
  }
  expect_code(this->catalog().update(make_experiment("none")), Code::not_found);
  expect_code(this->catalog().commit(make_version("none", "t", 0), 0), Code::not_found);
}

TYPED_TEST_P(CatalogContract, TakesNothingItCouldNotGive) {
  this->create(make_experiment("k"));
  model::Experiment experiment = make_experiment("new");
  experiment.project.clear();
  expect_code(this->catalog().create(experiment), Code::invalid);
  experiment = make_experiment("../x");
  expect_code(this->catalog().create(experiment), Code::invalid);
  experiment = this->load("k");
  experiment.last().usage.user_seconds = std::numeric_limits<double>::quiet_NaN();
  expect_code(this->catalog().update(experiment), Code::invalid);
  expect_code(this->catalog().commit(make_version("k", "a/b", 0), 0), Code::invalid);
  expect_code(this->catalog().commit(make_version("k", "t", std::uint64_t{1} << 63), 0), Code::invalid);
  EXPECT_EQ(this->keys({}), std::vector<std::string>{"k"});
  EXPECT_EQ(this->load("k").revision, 1u);
}

TYPED_TEST_P(CatalogContract, UpdatesOnlyWhatWasSeen) {
  this->create(make_experiment("k"));
  model::Experiment mine = this->load("k");
  model::Experiment theirs = this->load("k");
  mine.last().state = model::State::running;
  const auto revision = this->catalog().update(mine);
  ASSERT_TRUE(revision.has_value()) << revision.error().message;
  EXPECT_EQ(*revision, 2u);
  theirs.last().state = model::State::failed;
  expect_code(this->another().update(theirs), Code::conflict);
  theirs.revision = 3;
  expect_code(this->another().update(theirs), Code::conflict);
  mine.revision = 2;
  EXPECT_EQ(this->load("k"), mine);
}

TYPED_TEST_P(CatalogContract, ListsTheNewestFirst) {
  for (const auto& [key, created] : std::initializer_list<std::pair<const char*, int>>{
           {"b", 10}, {"a", 10}, {"old", -5}, {"new", 20}, {"C", 10}, {"oldest", -2'000'000'000}})
    this->create(make_experiment(key, created));
  const std::vector<std::string> all{"new", "C", "a", "b", "old", "oldest"};
  EXPECT_EQ(this->keys({}), all);
  EXPECT_EQ(this->keys({}, 3), std::vector<std::string>(all.begin(), all.begin() + 3));
  EXPECT_THAT(this->keys({}, 0), testing::IsEmpty());
  EXPECT_EQ(this->keys({}, SIZE_MAX), all);
  const auto listed = this->catalog().list({}, 1);
  EXPECT_EQ(listed->experiments.front(), this->load("new")) << "whole records";
}

TYPED_TEST_P(CatalogContract, OrdersByNanoseconds) {
  for (int i : {2, 0, 1}) {
    model::Experiment experiment = make_experiment(concat("k", i));
    experiment.created = WallTime(std::chrono::seconds(1'790'000'000) + std::chrono::nanoseconds(i));
    this->create(experiment);
  }
  EXPECT_EQ(this->keys({}), (std::vector<std::string>{"k2", "k1", "k0"}));
}

TYPED_TEST_P(CatalogContract, Filters) {
  using model::State;
  const auto add = [&](const char* key, const char* project, State state, int created) {
    model::Experiment experiment = make_experiment(key, created);
    experiment.project = project;
    experiment.last().state = state;
    this->create(experiment);
  };
  add("a1", "p", State::running, 5);
  add("a2", "q", State::finished, 4);
  add("b1", "p", State::finished, 3);
  add("b2", "p", State::lost, 2);
  const auto expect = [&](const Filter& filter, const std::vector<std::string>& wanted) {
    EXPECT_EQ(this->keys(filter), wanted);
  };
  expect({"p", {}, {}}, {"a1", "b1", "b2"});
  expect({"P", {}, {}}, {});
  expect({"", {}, {}}, {});
  expect({{}, {State::finished}, {}}, {"a2", "b1"});
  expect({{}, {State::lost, State::running}, {}}, {"a1", "b2"});
  expect({{}, {State::killed}, {}}, {});
  expect({{}, {State::running, State::running}, {}}, {"a1"});
  expect({{}, {}, "b"}, {"b1", "b2"});
  expect({"p", {State::finished, State::lost}, "b"}, {"b1", "b2"});
  expect({"q", {State::finished}, "b"}, {});
  EXPECT_EQ(this->keys({"p", {}, {}}, 2), (std::vector<std::string>{"a1", "b1"}));
}

TYPED_TEST_P(CatalogContract, FiltersByTheStateAsItIs) {
  this->create(make_experiment("k"));
  const auto updated = redo_update(this->catalog(), "k", [](model::Experiment& experiment) -> Result<void> {
    experiment.attempt = {.number = 1};
    experiment.last().state = model::State::running;
    experiment.project = "other";
    return {};
  });
  ASSERT_TRUE(updated.has_value());
  EXPECT_THAT(this->keys({{}, {model::State::starting, model::State::finished}, {}}), testing::IsEmpty());
  EXPECT_THAT(this->keys({"other", {model::State::running}, {}}), testing::ElementsAre("k"));
}

TYPED_TEST_P(CatalogContract, ListsWhatWasDeletedOnlyWhereItIsAskedFor) {
  const WallTime now(std::chrono::seconds(1'790'000'000) + std::chrono::nanoseconds(1));
  for (const auto& [key, created] : std::initializer_list<std::pair<const char*, int>>{{"a1", 1}, {"a2", 2}, {"b", 3}})
    this->create(make_experiment(key, created));
  const auto mark = [&](const std::string& key, std::optional<WallTime> deleted) {
    const auto stored = redo_update(this->catalog(), key, [&](model::Experiment& experiment) -> Result<void> {
      experiment.deleted = deleted;
      return {};
    });
    ASSERT_TRUE(stored.has_value()) << stored.error().message;
  };
  using Keys = std::vector<std::string>;
  EXPECT_THAT(this->keys({.deleted = Deleted::only}), testing::IsEmpty());
  mark("a1", now);
  model::Experiment born_so = make_experiment("c", 4);  // as a catalog is rebuilt
  born_so.deleted = now;
  this->create(born_so);
  EXPECT_EQ(this->keys({}), (Keys{"b", "a2"}));
  EXPECT_EQ(this->keys({.deleted = Deleted::only}), (Keys{"c", "a1"}));
  EXPECT_EQ(this->keys({.deleted = Deleted::any}), (Keys{"c", "b", "a2", "a1"}));
  EXPECT_EQ(this->keys({.key_prefix = "a"}), Keys{"a2"});
  EXPECT_EQ(this->keys({.project = "default", .states = {model::State::starting}, .deleted = Deleted::only}, 1),
            Keys{"c"});
  EXPECT_EQ(this->load("a1").deleted, now) << "by its key it is found all the same";

  const std::uint64_t before = this->another().changes(0, 10)->sequence;
  mark("a1", std::nullopt);
  EXPECT_EQ(this->keys({.key_prefix = "a"}), (Keys{"a2", "a1"}));
  EXPECT_EQ(this->keys({.deleted = Deleted::only}), Keys{"c"});
  mark("b", now);
  const Changes changes = this->another().changes(before, 10).value();
  ASSERT_EQ(changes.experiments.size(), 2u);
  EXPECT_EQ(changes.experiments[0].experiment.deleted, std::nullopt);
  EXPECT_EQ(changes.experiments[1].experiment.key, "b");
  EXPECT_EQ(changes.experiments[1].experiment.deleted, now);
}

TYPED_TEST_P(CatalogContract, TakesPrefixesLiterally) {
  for (const char* key : {"a_b", "axb", "a-b", "A_b", "a_", "a", "a.b"}) this->create(make_experiment(key));
  const auto by_prefix = [&](const std::string& prefix) { return this->keys({{}, {}, prefix}); };
  EXPECT_EQ(by_prefix("a_"), (std::vector<std::string>{"a_", "a_b"}));
  EXPECT_EQ(by_prefix("a"), (std::vector<std::string>{"a", "a-b", "a.b", "a_", "a_b", "axb"}));
  EXPECT_EQ(by_prefix(""), (std::vector<std::string>{"A_b", "a", "a-b", "a.b", "a_", "a_b", "axb"}));
  EXPECT_EQ(by_prefix("a_b"), std::vector<std::string>{"a_b"});
  for (const std::string& none : {std::string("a%"), std::string("%"), std::string("_"), std::string("a*"),
                                  std::string("a?"), std::string("a\0", 2), std::string("\xff"),
                                  std::string("\xff\xff"), std::string("a\xff"), std::string("a_bc"), std::string("'")})
    EXPECT_THAT(by_prefix(none), testing::IsEmpty()) << none;
}

TYPED_TEST_P(CatalogContract, ListsVersionsInOrder) {
  this->create(make_experiment("k"));
  this->create(make_experiment("other"));
  for (const std::uint64_t number : {10u, 0u, 2u, 1u}) this->commit("k", "w", number);
  this->commit("k", "output", 0);
  this->commit("other", "w", 99);
  const auto names = [&](std::optional<std::string> tag) {
    std::vector<std::string> found;
    const auto versions = this->another().versions("k", tag);
    EXPECT_TRUE(versions.has_value());
    for (const model::Version& version : *versions) found.push_back(concat(version.tag, "@", version.number));
    return found;
  };
  EXPECT_EQ(names({}), (std::vector<std::string>{"output@0", "w@0", "w@1", "w@2", "w@10"}));
  EXPECT_EQ(names("w"), (std::vector<std::string>{"w@0", "w@1", "w@2", "w@10"}));
  EXPECT_THAT(names("W"), testing::IsEmpty());
  EXPECT_THAT(names(""), testing::IsEmpty());
  EXPECT_EQ(**this->another().latest("k", "w"), make_version("k", "w", 10));
  EXPECT_EQ(**this->another().latest("k", "output"), make_version("k", "output", 0));
  EXPECT_EQ(*this->another().latest("k", "none"), std::nullopt);
  EXPECT_EQ(**this->another().version("k", "w", 2), make_version("k", "w", 2));
  EXPECT_EQ(**this->another().version("k", "output", 0), make_version("k", "output", 0));
  for (const std::uint64_t number : {3ul, 99ul, UINT64_MAX})
    EXPECT_EQ(*this->another().version("k", "w", number), std::nullopt) << number;
  for (const std::string& tag : {std::string("W"), std::string(), std::string("w\0", 2), std::string("w&number=1")})
    EXPECT_EQ(*this->another().version("k", tag, 0), std::nullopt) << tag;
}

TYPED_TEST_P(CatalogContract, KeepsVersionsWhole) {
  this->create(make_experiment("k"));
  model::Version version = make_version("k", "t", 3);
  version.kind = model::ArtifactKind::file;
  version.file_name = "caf\xe9";
  version.problems = {{"\xfe", "unreadable"}};
  version.problem_count = 4;
  ASSERT_TRUE(this->catalog().commit(version, 0).has_value());
  EXPECT_THAT(*this->another().versions("k", "t"), testing::ElementsAre(version));
  EXPECT_EQ(**this->another().version("k", "t", 3), version);
}

TYPED_TEST_P(CatalogContract, CommitsAVersionOnce) {
  this->create(make_experiment("k"));
  this->commit("k", "t", 0);
  model::Version again = make_version("k", "t", 0);
  again.stored_bytes = 1;
  expect_code(this->another().commit(again, 0), Code::already_exists);
  EXPECT_EQ(**this->another().latest("k", "t"), make_version("k", "t", 0));
  this->commit("k", "u", 0);
}

TYPED_TEST_P(CatalogContract, FencesOffASupersededAttempt) {
  this->create(make_experiment("k"));
  this->commit("k", "t", 0, 0);
  const auto next = redo_update(this->catalog(), "k", [](model::Experiment& experiment) -> Result<void> {
    experiment.attempt = {.number = 1};
    return {};
  });
  ASSERT_TRUE(next.has_value());
  expect_code(this->another().commit(make_version("k", "t", 1), 0), Code::conflict);
  expect_code(this->another().commit(make_version("k", "t", 1), 2), Code::conflict);
  expect_code(this->another().commit(make_version("k", "t", 0), 0), Code::conflict);
  expect_code(this->another().commit(make_version("k", "t", 1), UINT64_MAX), Code::conflict);
  EXPECT_EQ(this->another().versions("k", {})->size(), 1u);
  this->commit("k", "t", 1, 1);
  EXPECT_EQ((*this->another().latest("k", "t"))->number, 1u);
}

TYPED_TEST_P(CatalogContract, RedoReturnsTheRecordAsStored) {
  this->create(make_experiment("k"));
  const auto stored = redo_update(this->catalog(), "k", [](model::Experiment& experiment) -> Result<void> {
    experiment.owner = "eve";
    return {};
  });
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->revision, 2u);
  EXPECT_EQ(this->load("k"), *stored);
}

TYPED_TEST_P(CatalogContract, RedoPassesOnARefusal) {
  this->create(make_experiment("k"));
  expect_code(redo_update(this->catalog(), "k",
                          [](model::Experiment&) -> Result<void> {
                            return Error{Code::denied, "not yours"};
                          }),
              Code::denied);
  expect_code(redo_update(this->catalog(), "k",
                          [](model::Experiment& experiment) -> Result<void> {
                            experiment.key = "l";
                            return {};
                          }),
              Code::invalid);
  expect_code(redo_update(this->catalog(), "none", [](model::Experiment&) -> Result<void> { return {}; }),
              Code::not_found);
  EXPECT_EQ(this->load("k").revision, 1u);
}

TYPED_TEST_P(CatalogContract, ConcurrentUpdatesAreNotLost) {
  constexpr int k_threads = 4;
  constexpr int k_updates = 10;
  this->create(make_experiment("k"));
  in_threads(k_threads, [&](int i) {
    Catalog& mine = i % 2 == 0 ? this->catalog() : this->another();
    for (int update = 0; update < k_updates; ++update) {
      const auto stored = redo_update(mine, "k", [&](model::Experiment& experiment) -> Result<void> {
        experiment.command.push_back(concat(i, ".", update));
        return {};
      });
      ASSERT_TRUE(stored.has_value()) << stored.error().message;
    }
  });
  const model::Experiment stored = this->load("k");
  EXPECT_EQ(stored.revision, 1u + k_threads * k_updates);
  EXPECT_EQ(stored.command.size(), 2u + k_threads * k_updates);
}

TYPED_TEST_P(CatalogContract, OneOfManyCreates) {
  std::atomic<int> winners{0};
  in_threads(8, [&](int i) {
    Catalog& mine = i % 2 == 0 ? this->catalog() : this->another();
    const auto created = mine.create(make_experiment("k", i));
    if (created)
      ++winners;
    else
      EXPECT_EQ(created.error().code, Code::already_exists) << created.error().message;
  });
  EXPECT_EQ(winners, 1);
}

TYPED_TEST_P(CatalogContract, WritersAndReadersShareTheCatalog) {
  constexpr std::uint64_t k_versions = 25;
  this->create(make_experiment("k"));
  in_threads(4, [&](int i) {
    Catalog& mine = i % 2 == 0 ? this->catalog() : this->another();
    const std::string tag = concat("t", i);
    for (std::uint64_t number = 0; number < k_versions; ++number) {
      const auto committed = mine.commit(make_version("k", tag, number), 0);
      ASSERT_TRUE(committed.has_value()) << committed.error().message;
      const auto latest = mine.latest("k", tag);
      ASSERT_TRUE(latest.has_value() && latest->has_value());
      ASSERT_EQ((*latest)->number, number) << "a writer sees what it has written";
      ASSERT_TRUE(mine.list({}, 10).has_value());
    }
  });
  EXPECT_EQ(this->another().versions("k", {})->size(), 4 * k_versions);
}

TYPED_TEST_P(CatalogContract, KeepsEarlierAttemptsAsTheyWere) {
  const auto none = this->catalog().attempts("none", 0);
  ASSERT_TRUE(none.has_value());
  EXPECT_THAT(*none, testing::IsEmpty());
  model::Experiment experiment = make_experiment("k");
  experiment.attempt.reason = "\xff first";
  this->create(experiment);
  std::vector<model::Attempt> expected{experiment.attempt};
  for (const std::uint64_t number : {1u, 2u, 7u}) {
    experiment = this->load("k");
    experiment.attempt = {.number = number, .reason = concat("attempt ", number)};
    ASSERT_TRUE(this->catalog().update(experiment).has_value());
    // The present one may change, and does not become another by that.
    ASSERT_TRUE(redo_update(this->another(), "k", [](model::Experiment& changed) -> Result<void> {
                  changed.last().state = model::State::finished;
                  return {};
                }).has_value());
    experiment.attempt.state = model::State::finished;
    expected.push_back(experiment.attempt);
    const auto attempts = this->another().attempts("k", 0);
    ASSERT_TRUE(attempts.has_value());
    EXPECT_EQ(*attempts, expected);
    EXPECT_EQ(this->load("k").attempt, expected.back());
  }
  experiment = this->load("k");
  experiment.attempt.number = 6;
  expect_code(this->catalog().update(experiment), Code::invalid);
  EXPECT_EQ(this->another().attempts("k", 0).value(), expected);
}

TYPED_TEST_P(CatalogContract, TellsWhatHasChanged) {
  const auto keys_after = [this](std::uint64_t sequence, std::size_t limit) {
    const Changes changes = this->another().changes(sequence, limit).value();
    std::vector<std::string> keys;
    for (const Changed& each : changes.experiments) keys.push_back(each.experiment.key);
    return std::pair(keys, changes.sequence);
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys_after(0, 10), std::pair(Keys(), std::uint64_t{0}));
  for (const char* key : {"c", "a", "b"}) this->create(make_experiment(key));
  const auto [keys, sequence] = keys_after(0, 10);
  EXPECT_EQ(keys, (Keys{"c", "a", "b"}));
  EXPECT_EQ(keys_after(sequence, 10), std::pair(Keys(), sequence));

  model::Experiment changed = this->load("a");
  changed.attempt.state = model::State::running;
  ASSERT_TRUE(this->catalog().update(changed).has_value());
  changed.revision = 1;
  ASSERT_FALSE(this->catalog().update(changed).has_value()) << "which changes nothing";
  ASSERT_TRUE(this->catalog().commit(make_version("b", "tag", 0), 0).has_value()) << "nor does this";
  EXPECT_EQ(keys_after(sequence, 10).first, Keys{"a"});
  EXPECT_EQ(this->another().changes(sequence, 10)->experiments[0].experiment.state(), model::State::running);

  // Page by page.
  const auto [first, between] = keys_after(0, 2);
  EXPECT_EQ(first, (Keys{"c", "b"}));
  EXPECT_EQ(keys_after(between, 2).first, Keys{"a"});
}

REGISTER_TYPED_TEST_SUITE_P(CatalogContract, TellsWhatHasChanged, KeepsEarlierAttemptsAsTheyWere,
                            GivesBackWhatWasCreated, TakesAKeyOnce, TellsWhatIsNotThere, TakesNothingItCouldNotGive,
                            UpdatesOnlyWhatWasSeen, ListsTheNewestFirst, OrdersByNanoseconds, Filters,
                            FiltersByTheStateAsItIs, ListsWhatWasDeletedOnlyWhereItIsAskedFor, TakesPrefixesLiterally,
                            ListsVersionsInOrder, KeepsVersionsWhole, CommitsAVersionOnce, FencesOffASupersededAttempt,
                            RedoReturnsTheRecordAsStored, RedoPassesOnARefusal, ConcurrentUpdatesAreNotLost,
                            OneOfManyCreates, WritersAndReadersShareTheCatalog);

}  // namespace studio::catalog
