#include "engine/selection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/concat.hpp"
#include "catalog/memory.hpp"

namespace studio::engine {
namespace {

using ::testing::HasSubstr;

struct NameCase {
  const char* text;
  const char* experiment;
  const char* tag;
  std::optional<std::uint64_t> version;
};

TEST(ParseArtifactName, TakesEveryForm) {
  const NameCase cases[] = {{"exp/data", "exp", "data", {}},
                            {"exp/data@latest", "exp", "data", {}},
                            {"exp/data@v0", "exp", "data", 0},
                            {"e.x-p_1/d.a-t_a@v12", "e.x-p_1", "d.a-t_a", 12}};
  for (const NameCase& expected : cases) {
    const auto name = parse_artifact_name(expected.text);
    ASSERT_TRUE(name) << expected.text;
    EXPECT_EQ(name->experiment, expected.experiment);
    EXPECT_EQ(name->tag, expected.tag);
    EXPECT_EQ(name->version, expected.version);
  }
}

TEST(ParseArtifactName, RefusesEverythingElseWithTheForm) {
  for (const char* text :
       {"", "exp", "exp/", "/data", "exp/data@", "exp/data@7", "exp/data@vv", "exp/data@V1", "exp/data@v01",
        "exp/data@-v1", "exp/data@v1@v2", "exp/../x", "exp/a/b", "a b/c", "exp/data@v99999999999999999999"}) {
    const auto name = parse_artifact_name(text);
    ASSERT_FALSE(name) << text;
    EXPECT_EQ(name.error().code, Code::invalid) << text;
    EXPECT_THAT(name.error().hint, HasSubstr("EXP/TAG")) << text;
  }
}

class SelectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    add("exp", {{.tag = "data", .path = "/data"},
                {.tag = "empty", .path = "/empty"},
                {.tag = "again",
                 .path = "/cache",
                 .mode = model::CaptureMode::reuse,
                 .source = model::ArtifactSource{"exp-2", "weights", 3}}});
    add("exp-2", {});
    add("other", {});
    for (std::uint64_t number = 0; number < 3; ++number) commit("exp", "data", number);
    for (std::uint64_t number = 0; number < 30; ++number) commit("other", "many", number);
  }

  void add(const std::string& key, std::vector<model::Artifact> artifacts) {
    model::Experiment experiment{.key = key, .project = "p", .owner = "o", .command = {"x"}, .directory = "/"};
    experiment.attempt = {.artifacts = std::move(artifacts)};
    ASSERT_TRUE(catalog_.create(experiment));
  }

  void commit(const std::string& key, const std::string& tag, std::uint64_t number) {
    ASSERT_TRUE(catalog_.commit({.experiment = key, .tag = tag, .number = number}, 0));
  }

  Error error_of(std::string_view text) {
    const auto version = find_version(catalog_, *parse_artifact_name(text));
    EXPECT_FALSE(version) << text;
    return version ? Error{} : version.error();
  }

  catalog::MemoryCatalog catalog_;
};

TEST_F(SelectionTest, AWholeKeyIsNeverAmbiguousAndAUniquePrefixIsEnough) {
  EXPECT_EQ(find_experiment(catalog_, "exp")->key, "exp");
  EXPECT_EQ(find_experiment(catalog_, "exp-")->key, "exp-2");
  EXPECT_EQ(find_experiment(catalog_, "o")->key, "other");
}

TEST_F(SelectionTest, AnAmbiguousPrefixListsTheCandidates) {
  const auto found = find_experiment(catalog_, "ex");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::invalid);
  EXPECT_THAT(found.error().message, HasSubstr("exp, exp-2"));
}

TEST_F(SelectionTest, AnUnknownKeyIsNotFoundAndASlipIsCorrected) {
  EXPECT_EQ(find_experiment(catalog_, "nowhere").error().code, Code::not_found);
  EXPECT_THAT(find_experiment(catalog_, "othre").error().hint, HasSubstr("'other'"));
  EXPECT_EQ(find_experiment(catalog_, "").error().code, Code::invalid);
}

TEST_F(SelectionTest, WhatIsDeletedIsFoundByItsKeyOrWhereItIsMeant) {
  using enum catalog::Deleted;
  model::Experiment deleted = catalog_.load("exp-2").value();
  deleted.deleted = WallTime(std::chrono::seconds(1));
  ASSERT_TRUE(catalog_.update(deleted));
  EXPECT_EQ(find_experiment(catalog_, "exp-2")->key, "exp-2");
  EXPECT_EQ(find_experiment(catalog_, "ex")->key, "exp") << "it is in nobody's way";
  EXPECT_EQ(find_experiment(catalog_, "exp-").error().code, Code::not_found);
  EXPECT_EQ(find_experiment(catalog_, "exp-", any)->key, "exp-2");
  EXPECT_EQ(find_experiment(catalog_, "ex", any).error().code, Code::invalid);
  EXPECT_THAT(find_experiment(catalog_, "exp-3", any).error().hint, HasSubstr("'exp-2'"));
  EXPECT_EQ(find_experiment(catalog_, "exp-3").error().hint.find("exp-2"), std::string::npos);
}

TEST_F(SelectionTest, TheLatestVersionUnlessOneIsNamed) {
  EXPECT_EQ(find_version(catalog_, *parse_artifact_name("exp/data"))->number, 2u);
  EXPECT_EQ(find_version(catalog_, *parse_artifact_name("exp/data@v0"))->number, 0u);
  EXPECT_EQ(find_version(catalog_, *parse_artifact_name("oth/many@latest"))->number, 29u);
}

TEST_F(SelectionTest, WhatIsMissingIsNamedAndWhatThereIs) {
  EXPECT_EQ(error_of("exp/dta").code, Code::not_found);
  EXPECT_THAT(error_of("exp/dta").hint, HasSubstr("again, data, empty"));
  EXPECT_THAT(error_of("exp-2/x@v1").hint, HasSubstr("no artifacts"));
  EXPECT_THAT(error_of("exp/data@v7").message, HasSubstr("v7"));
  EXPECT_THAT(error_of("exp/data@v7").hint, HasSubstr("v0, v1, v2"));
  EXPECT_THAT(error_of("other/many@v77").hint, HasSubstr("v0 to v29"));
  EXPECT_THAT(error_of("exp/empty").message, HasSubstr("no version yet"));
  EXPECT_THAT(error_of("exp/again").hint, HasSubstr("exp-2/weights@v3"));
}

}  // namespace
}  // namespace studio::engine
