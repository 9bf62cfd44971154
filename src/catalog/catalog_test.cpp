// The small things of the room: the memory catalog, redo_update, the registry. sqlite_test.cpp has the SQLite catalog.
#include <gmock/gmock.h>

#include "catalog/memory.hpp"
#include "catalog/registry.hpp"
#include "contract/catalog_contract.hpp"
#include "contract/scratch_directory.hpp"

namespace studio::catalog {
namespace {

struct MemoryBackend {
  Catalog& catalog() { return memory; }
  Catalog& another() { return memory; }
  MemoryCatalog memory;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, CatalogContract, MemoryBackend);

TEST(RedoUpdate, GivesUpWhenOthersAlwaysWin) {
  MemoryCatalog catalog;
  ASSERT_TRUE(catalog.create(make_experiment("k")).has_value());
  int calls = 0;
  const auto updated = redo_update(catalog, "k", [&](model::Experiment& experiment) -> Result<void> {
    ++calls;
    TRY(catalog.update(experiment));  // someone else is quicker
    experiment.owner = "late";
    return {};
  });
  ASSERT_FALSE(updated.has_value());
  EXPECT_EQ(updated.error().code, Code::unavailable);
  EXPECT_GT(calls, 10);
  EXPECT_EQ(catalog.load("k")->owner, "ada");
}

TEST(RedoUpdate, SeesWhatTheWinnerWrote) {
  MemoryCatalog catalog;
  ASSERT_TRUE(catalog.create(make_experiment("k")).has_value());
  std::vector<std::string> seen;
  const auto updated = redo_update(catalog, "k", [&](model::Experiment& experiment) -> Result<void> {
    seen.push_back(experiment.owner);
    if (seen.size() == 1) {
      model::Experiment theirs = experiment;
      theirs.owner = "winner";
      TRY(catalog.update(theirs));
    }
    experiment.owner += " and me";
    return {};
  });
  ASSERT_TRUE(updated.has_value());
  EXPECT_THAT(seen, testing::ElementsAre("ada", "winner"));
  EXPECT_EQ(updated->owner, "winner and me");
  EXPECT_EQ(updated->revision, 3u);
}

TEST(Registry, OpensEveryKnownType) {
  const test::ScratchDirectory scratch;
  EXPECT_THAT(known_types(), testing::ElementsAre("sqlite", "memory", "http"));
  EXPECT_EQ(open_catalog({.type = "http"}).error().code, Code::invalid) << "without a server";
  for (const std::string_view type : {"sqlite", "memory"}) {
    const auto catalog = open_catalog({std::string(type), scratch / "studio.db"});
    ASSERT_TRUE(catalog.has_value()) << catalog.error().message;
    EXPECT_TRUE((*catalog)->create(make_experiment("k")).has_value());
  }
}

}  // namespace
}  // namespace studio::catalog
