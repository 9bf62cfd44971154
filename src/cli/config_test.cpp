#include "cli/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/concat.hpp"
#include "cli/config_schema.hpp"
#include "os/fd.hpp"
#include "os/process_testing.hpp"

namespace studio::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"home", "work", "work/sub"}) ASSERT_TRUE(os::make_directories(directory_ / name));
    sources_ = {.home = {(directory_ / "home")}, .directory = directory_ / "work", .environment = {}};
  }

  std::string user(std::string_view text) { return directory_.write("home/config.yaml", text); }
  std::string project(std::string_view text) { return directory_.write("work/.studioml.yaml", text); }

  Config load() {
    auto config = load_config(sources_);
    EXPECT_TRUE(config) << config.error().message;
    return config ? *config : Config();
  }
  Error error() {
    const auto config = load_config(sources_);
    EXPECT_FALSE(config);
    return config ? Error() : config.error();
  }

  static Setting setting(const Config& config, std::string_view key) {
    for (const Setting& setting : config.settings)
      if (setting.key == key) return setting;
    return {};
  }

  test::ScratchDirectory directory_;
  ConfigSources sources_;
};

TEST_F(ConfigTest, Defaults) {
  const Config config = load();
  EXPECT_EQ(config.interval, 1min);
  EXPECT_EQ(config.grace, 10s);
  EXPECT_EQ(config.project, "default");
  EXPECT_FALSE(config.owner.empty());
  EXPECT_EQ(config.python, "");
  EXPECT_EQ(config.storage_path, directory_ / "home/store");
  EXPECT_TRUE(config.float_planes);
  EXPECT_EQ(config.database_path, directory_ / "home/studio.db");
  EXPECT_EQ(setting(config, "python").value, std::nullopt);
  for (const Setting& setting : config.settings) EXPECT_EQ(setting.origin, "default") << setting.key;
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST_F(ConfigTest, EachLayerHidesTheOneBelowAndTheOriginIsKept) {
  const auto origin = [&] { return setting(load(), "project").origin; };
  const std::string user_file = user("owner: x\nproject: of-user\n");
  EXPECT_EQ(load().project, "of-user");
  EXPECT_EQ(origin(), user_file + ":2");
  const std::string project_file = project("project: of-project\n");
  EXPECT_EQ(load().project, "of-project");
  EXPECT_EQ(origin(), project_file + ":1");
  sources_.environment = {"STUDIOML_PROJECT=of-variable"};
  EXPECT_EQ(load().project, "of-variable");
  EXPECT_EQ(origin(), "STUDIOML_PROJECT");
  sources_.flags.project = "of-flag";
  EXPECT_EQ(load().project, "of-flag");
  EXPECT_EQ(origin(), "--project");
  EXPECT_EQ(load().owner, "x") << "a layer hides only the keys that it has";
}

TEST_F(ConfigTest, TheNearestProjectFileAboveCounts) {
  project("project: outer\n");
  sources_.directory = directory_ / "work/sub";
  EXPECT_EQ(load().project, "outer");
  directory_.write("work/sub/.studioml.yaml", "project: inner\n");
  EXPECT_EQ(load().project, "inner");
}

TEST_F(ConfigTest, TheFlagNamesTheUsersFile) {
  user("project: of-user\n");
  sources_.flags.file = directory_.write("other.yaml", "owner: of-other\n");
  EXPECT_EQ(load().project, "default");
  EXPECT_EQ(load().owner, "of-other");
}

TEST_F(ConfigTest, AnEmptyVariableIsNotSet) {
  user("project: of-user\n");
  sources_.environment = {"STUDIOML_PROJECT=", "STUDIOML_STOP_GRACE_PERIOD="};
  EXPECT_EQ(load().project, "of-user");
  EXPECT_EQ(load().grace, 10s);
}

TEST_F(ConfigTest, MinutesAreTheOlderFormOfTheFrequency) {
  user("saveWorkspaceFrequencyMinutes: 5\n");
  EXPECT_EQ(load().interval, 5min);
  EXPECT_EQ(setting(load(), "saveWorkspaceFrequency").value, "5m");
  user("saveWorkspaceFrequencyMinutes: 0.5\n");
  EXPECT_EQ(load().interval, 30s);
  user("saveWorkspaceFrequency: 7s\nsaveWorkspaceFrequencyMinutes: 5\n");
  EXPECT_EQ(load().interval, 7s) << "of two in one file the newer form wins";
  project("saveWorkspaceFrequencyMinutes: 2\n");
  EXPECT_EQ(load().interval, 2min) << "but a higher layer wins in either form";
}

TEST_F(ConfigTest, PathsAreRelativeToTheFileThatNamesThem) {
  const os::ScopedVariable variable("SOMEWHERE", "/some/where");
  user("storage:\n  path: stores/mine\ndatabase:\n  path: $SOMEWHERE/x.db\npython: bin/python\n");
  EXPECT_EQ(load().storage_path, directory_ / "home/stores/mine");
  EXPECT_EQ(load().database_path, "/some/where/x.db");
  EXPECT_EQ(load().python, directory_ / "home/bin/python");
  sources_.environment = {"STUDIOML_STORAGE_PATH=stores/other", "STUDIOML_PYTHON=python3.11"};
  EXPECT_EQ(load().storage_path, directory_ / "work/stores/other");
  EXPECT_EQ(load().python, "python3.11") << "a plain name is looked up in PATH";
}

TEST_F(ConfigTest, EmptyFilesSayNothing) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n", "{}\n", "storage:\n#  path: /x\n"}) {
    user(text);
    EXPECT_EQ(load().project, "default") << text;
    EXPECT_THAT(load().warnings, IsEmpty()) << text;
  }
}

TEST_F(ConfigTest, AWrongFileIsToldWithFileLineAndKey) {
  const struct {
    const char* text;
    int line;
    const char* key;
  } cases[] = {
      {"project: p\nowner: [unclosed\n", 0, ""},
      {"project: p\n\towner: x\n", 2, ""},
      {"- a\n- b\n", 1, ""},
      {"just words\n", 1, ""},
      {"? [a, b]\n: c\n", 1, ""},
      {"project: p\nsaveWorkspaceFrequency: often\n", 2, "saveWorkspaceFrequency"},
      {"\n\nsaveWorkspaceFrequency: 30\n", 3, "saveWorkspaceFrequency"},
      {"saveWorkspaceFrequency: 0s\n", 1, "saveWorkspaceFrequency"},
      {"saveWorkspaceFrequencyMinutes: some\n", 1, "saveWorkspaceFrequencyMinutes"},
      {"saveWorkspaceFrequencyMinutes: 0\n", 1, "saveWorkspaceFrequencyMinutes"},
      {"saveWorkspaceFrequencyMinutes: nan\n", 1, "saveWorkspaceFrequencyMinutes"},
      {"saveWorkspaceFrequencyMinutes: 1e300\n", 1, "saveWorkspaceFrequencyMinutes"},
      {"project: [a, b]\n", 1, "project"},
      {"project: a b\n", 1, "project"},
      {"project:\n", 1, "project"},
      {"owner: \"\"\n", 1, "owner"},
      {"project: a\nproject: b\n", 2, "project"},
      {"storage: local\n", 1, "storage"},
      {"storage:\n  type: carrier-pigeon\n", 2, "storage.type"},
      {"storage:\n  type: memory\n", 2, "storage.type"},
      {"storage:\n  floatPlanes: perhaps\n", 2, "storage.floatPlanes"},
      {"database:\n  type: papyrus\n", 2, "database.type"},
      {"storage:\n  path: $NOT_SET_ANYWHERE/x\n", 2, "storage.path"},
  };
  for (const auto& expected : cases) {
    const std::string file = user(expected.text);
    const Error found = error();
    EXPECT_THAT(found.message, HasSubstr(expected.line == 0 ? file : concat(file, ":", expected.line, ": ")))
        << expected.text;
    EXPECT_THAT(found.message, HasSubstr(expected.key)) << expected.text;
  }
}

TEST_F(ConfigTest, FloatPlanesCanBeSwitchedOff) {
  user("storage:\n  floatPlanes: off\n");
  EXPECT_FALSE(load().float_planes);
}

TEST_F(ConfigTest, KnownTypesAreNamed) {
  user("storage:\n  type: s4\n");
  EXPECT_THAT(error().hint, HasSubstr("local"));
  user("database:\n  type: s4\n");
  EXPECT_THAT(error().hint, HasSubstr("sqlite"));
}

TEST_F(ConfigTest, AHiddenValueMustBeRightToo) {
  user("saveWorkspaceFrequency: often\n");
  sources_.environment = {"STUDIOML_SAVE_WORKSPACE_FREQUENCY=1m"};
  EXPECT_THAT(error().message, HasSubstr("often"));
}

TEST_F(ConfigTest, AWrongVariableIsToldByItsName) {
  for (const char* variable :
       {"STUDIOML_SAVE_WORKSPACE_FREQUENCY=often", "STUDIOML_STOP_GRACE_PERIOD=5", "STUDIOML_PROJECT=a b"}) {
    sources_.environment = {variable};
    const std::string name = std::string(variable).substr(0, std::string_view(variable).find('='));
    EXPECT_THAT(error().message, HasSubstr(name)) << variable;
  }
}

TEST_F(ConfigTest, AnUnreadableFileIsAnError) {
  ASSERT_TRUE(os::make_directories(directory_ / "home/config.yaml"));
  EXPECT_THAT(error().message, HasSubstr("config.yaml"));
}

TEST_F(ConfigTest, UnknownKeysAreWarningsWithTheNearestKnownOne) {
  const std::string file =
      user("project: p\nsaveWorkspaceFrequncy: 1m\nstorage:\n  pth: /x\ndatabse:\n  path: /x\nqqqqqqqqqqqq: 1\n");
  EXPECT_THAT(load().warnings,
              ElementsAre(AllOf(HasSubstr(file + ":2: "), HasSubstr("'saveWorkspaceFrequncy'"),
                                HasSubstr("'saveWorkspaceFrequency'")),
                          AllOf(HasSubstr(file + ":4: "), HasSubstr("'storage.pth'"), HasSubstr("'storage.path'")),
                          AllOf(HasSubstr(file + ":5: "), HasSubstr("'databse'"), HasSubstr("'database'")),
                          AllOf(HasSubstr(file + ":7: "), HasSubstr("'qqqqqqqqqqqq'"))));
}

TEST(LocateHome, VariableOrHomeDirectory) {
  const os::ScopedVariable home("HOME", "/home/ada");
  EXPECT_EQ(locate_home({}, "/project")->root, "/home/ada/.studioml");
  EXPECT_EQ(locate_home({"STUDIOML_HOME="}, "/project")->root, "/home/ada/.studioml");
  EXPECT_EQ(locate_home({"STUDIOML_HOME=/data/s/"}, "/project")->root, "/data/s");
  EXPECT_EQ(locate_home({"STUDIOML_HOME=s"}, "/project")->root, "/project/s");
  EXPECT_EQ(locate_home({"STUDIOML_HOME=~/s"}, "/project")->root, "/home/ada/s");
  EXPECT_EQ(locate_home({"STUDIOML_HOME=/a$b"}, "/project")->root, "/a$b") << "a variable's value is no shell word";
}

}  // namespace
}  // namespace studio::cli
