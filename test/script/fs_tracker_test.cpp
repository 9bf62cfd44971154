// Tests of the C++ script side. Its texts and its judgement of a mapping are those of
// test_fs_tracker.py: change both together.
#include "studio/fs_tracker.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

namespace {

namespace fs_tracker = studio::fs_tracker;
using namespace std::string_literals;

// Starts each test outside a run: no variable of Studio set, a home of its own.
class FsTracker : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "fs_tracker XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    mapping_ = dir_ + "/artifacts.json";
    for (const char* name : k_variables) {
      const char* value = std::getenv(name);
      before_[name] = value == nullptr ? std::nullopt : std::optional<std::string>(value);
      unsetenv(name);
    }
    set("HOME", dir_);
  }

  void TearDown() override {
    for (const auto& [name, value] : before_) {
      if (value)
        set(name, *value);
      else
        unsetenv(name);
    }
    std::filesystem::remove_all(dir_);
  }

  static void set(const char* name, const std::string& value) { setenv(name, value.c_str(), 1); }

  // Sets the environment as Studio does.
  void start_run(std::string_view mapping) {
    std::ofstream(mapping_, std::ios::binary) << mapping;
    set("STUDIOML_EXPERIMENT", "mine");
    set("STUDIOML_ATTEMPT", "0");
    set("STUDIOML_HOME", dir_ + "/home");
    set("STUDIOML_ARTIFACT_MAPPING", mapping_);
  }

  // Expects just this error, with just this text.
  template <typename Error, typename Call>
  static void expect_error(const std::string& text, Call call) {
    try {
      call();
      ADD_FAILURE() << "no error; expected: " << text;
    } catch (const fs_tracker::ArtifactError& error) {
      EXPECT_EQ(typeid(error), typeid(Error));
      EXPECT_EQ(error.what(), text);
    }
  }

  void expect_damaged(std::string_view mapping, const std::string& reason = "") {
    SCOPED_TRACE(mapping.substr(0, 100));
    start_run(mapping);
    try {
      fs_tracker::get_artifacts();
      ADD_FAILURE() << "no error";
    } catch (const fs_tracker::MappingError& error) {
      const std::string start = "The artifact mapping " + mapping_ + " is damaged: " + reason;
      EXPECT_EQ(std::string(error.what()).substr(0, start.size()), start);
    }
  }

  static constexpr const char* k_variables[] = {"HOME", "STUDIOML_EXPERIMENT", "STUDIOML_ATTEMPT", "STUDIOML_HOME",
                                                "STUDIOML_ARTIFACT_MAPPING"};
  static constexpr std::string_view k_usual =
      R"({"workspace": "/run/workspace", "output": "/run/output", "modeldir": "/run/modeldir",)"
      R"( "tb": "/run/tb", "weights": "/home/ann/weights"})";

  std::string dir_;
  std::string mapping_;
  std::map<const char*, std::optional<std::string>> before_;
};

TEST_F(FsTracker, ReturnsThePathOfTheMapping) {
  start_run(k_usual);
  EXPECT_EQ(fs_tracker::get_artifact("weights"), "/home/ann/weights");
  EXPECT_EQ(fs_tracker::get_artifact(std::string("tb")), "/run/tb");
  const std::map<std::string, std::string> expected = {{"workspace", "/run/workspace"},
                                                       {"output", "/run/output"},
                                                       {"modeldir", "/run/modeldir"},
                                                       {"tb", "/run/tb"},
                                                       {"weights", "/home/ann/weights"}};
  EXPECT_EQ(fs_tracker::get_artifacts(), expected);
}

TEST_F(FsTracker, SeesAMappingThatChanged) {
  start_run(R"({"weights": "/a"})");
  EXPECT_EQ(fs_tracker::get_artifact("weights"), "/a");
  start_run(R"({"weights": "/b"})");
  EXPECT_EQ(fs_tracker::get_artifact("weights"), "/b");
}

TEST_F(FsTracker, ReadsAllOfJsonStrings) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"(/a b)", "/a b"},
      {"/données/数据/😀", "/données/数据/😀"},
      {R"(/\" \\ \/ \b\f\n\r\t)", "/\" \\ / \b\f\n\r\t"},
      {R"(/\u0041\u00e9\u00E9\u07ff\u0800\u20AC\uffff)", "/Aéé\u07ff\u0800€\uffff"},
      {R"(/\ud83d\ude00)", "/😀"},
      {R"(/\ud800\udc00\uDBFF\uDFFF)", "/\U00010000\U0010ffff"},
      {R"(/\u0001\u007f)", "/\x01\x7f"},
      {"/\x7f\u0080\U0010ffff", "/\x7f\u0080\U0010ffff"},
  };
  for (const auto& [written, meant] : cases) {
    start_run("{\"weights\": \"" + written + "\"}");
    EXPECT_EQ(fs_tracker::get_artifact("weights"), meant) << written;
  }
}

TEST_F(FsTracker, ReadsAnySpaceAndAnEmptyObject) {
  start_run(" \t\r\n{ \n\"a\"\t:\r\"/x\" , \"\" : \"/y\" } \n");
  const std::map<std::string, std::string> expected = {{"a", "/x"}, {"", "/y"}};
  EXPECT_EQ(fs_tracker::get_artifacts(), expected);
  for (const char* empty : {"{}", "{ }", " {\n} "}) {
    start_run(empty);
    EXPECT_TRUE(fs_tracker::get_artifacts().empty());
  }
}

TEST_F(FsTracker, ReadsALongMapping) {
  std::string text = "{";
  for (int i = 0; i < 5000; ++i)
    text += (i == 0 ? "\"" : ", \"") + std::to_string(i) + "\": \"/" + std::to_string(i) + "\"";
  start_run(text + "}");
  EXPECT_EQ(fs_tracker::get_artifacts().size(), 5000U);
  EXPECT_EQ(fs_tracker::get_artifact("4999"), "/4999");
}

TEST_F(FsTracker, AnUnknownTagNamesTheTagsAndTheNearest) {
  start_run(k_usual);
  expect_error<fs_tracker::UnknownTagError>(
      "This run has no artifact 'wieghts'. Did you mean 'weights'? "
      "The tags are: modeldir, output, tb, weights, workspace.",
      [] { return fs_tracker::get_artifact("wieghts"); });
  expect_error<fs_tracker::UnknownTagError>(
      "This run has no artifact 'Ünïcode x'. The tags are: modeldir, output, tb, weights, "
      "workspace.",
      [] { return fs_tracker::get_artifact("Ünïcode x"); });
  start_run("{}");
  expect_error<fs_tracker::UnknownTagError>("This run has no artifact ''. The tags are: (none).",
                                            [] { return fs_tracker::get_artifact(""); });
}

TEST_F(FsTracker, OutsideARunTellsTheCommand) {
  const auto text = [](const std::string& variable, const std::string& capture) {
    return "This script was not started by Studio: " + variable + " is not set. Start it with: studio run " + capture +
           fs_tracker::detail::quoted_command();
  };
  const std::string mapping = "STUDIOML_ARTIFACT_MAPPING";
  expect_error<fs_tracker::NotInRunError>(text(mapping, "--capture=PATH:weights "),
                                          [] { return fs_tracker::get_artifact("weights"); });
  expect_error<fs_tracker::NotInRunError>(text(mapping, "--capture=PATH:w "),
                                          [] { return fs_tracker::get_artifact_cache("w"); });
  for (const char* tag : {"workspace", "output", "modeldir", "tb", "", "..", "my weights", "a/b", "é"}) {
    expect_error<fs_tracker::NotInRunError>(text(mapping, ""), [tag] { return fs_tracker::get_artifact(tag); });
  }
  expect_error<fs_tracker::NotInRunError>(text(mapping, ""), [] { return fs_tracker::get_artifacts(); });
  expect_error<fs_tracker::NotInRunError>(text("STUDIOML_EXPERIMENT", ""),
                                          [] { return fs_tracker::get_experiment_key(); });
  EXPECT_NE(fs_tracker::detail::quoted_command().find(program_invocation_short_name), std::string::npos);
}

TEST_F(FsTracker, AnEmptyVariableIsNotSet) {
  for (const char* name : k_variables) {
    if (name != "HOME"s) set(name, "");
  }
  EXPECT_THROW(fs_tracker::get_artifacts(), fs_tracker::NotInRunError);
  EXPECT_THROW(fs_tracker::get_experiment_key(), fs_tracker::NotInRunError);
  EXPECT_EQ(fs_tracker::get_studio_home(), dir_ + "/.studioml");
}

TEST_F(FsTracker, AMappingThatCannotBeRead) {
  start_run(k_usual);
  std::filesystem::remove(mapping_);
  expect_error<fs_tracker::MappingError>(
      "The artifact mapping " + mapping_ + " cannot be read: No such file or directory.",
      [] { return fs_tracker::get_artifact("tb"); });
  set("STUDIOML_ARTIFACT_MAPPING", dir_);
  expect_error<fs_tracker::MappingError>("The artifact mapping " + dir_ + " cannot be read: Is a directory.",
                                         [] { return fs_tracker::get_artifacts(); });
}

TEST_F(FsTracker, ADamagedMapping) {
  for (const char* text : {"",
                           " ",
                           "{",
                           R"({"tb": "/x")",
                           R"({"tb": "/x",})",
                           R"({"tb" "/x"})",
                           R"({tb: "/x"})",
                           "{'tb': '/x'}",
                           R"({"tb": "/x"} x)",
                           R"({"tb": "/x})",
                           R"({"tb": "/\x"})",
                           R"({"tb": "/\u12g4"})",
                           R"({"tb": "/\u12)",
                           R"({"tb": "/\)",
                           "{\"tb\": \"/\n\"}",
                           "\xef\xbb\xbf{}",
                           R"({"tb" )",
                           R"({"tb": )",
                           R"({,"tb": "/x"})",
                           R"({"tb": "/x",,})"})
    expect_damaged(text);
  expect_damaged("\0"s);
  expect_damaged("{\"tb\": \"/x\0\"}"s);
  expect_damaged("{\"tb\": " + std::string(100000, '['));
  for (const char* text : {"[]", "null", "\"/x\"", "1", R"([["tb", "/x"]])"})
    expect_damaged(text, "it is not a JSON object");
  for (const char* value : {"1", "null", "true", "[]", "{}", "NaN"})
    expect_damaged("{\"tb\": "s + value + "}", "the path of 'tb' is not a string");
  for (const char* value : {"", "x", "./x", "~/x", "/x\\u0000y"})
    expect_damaged("{\"tb\": \""s + value + "\"}", "the path of 'tb' is not an absolute path");
  expect_damaged(R"({"tb": "/x", "tb": "/y"})", "a tag occurs twice");
}

TEST_F(FsTracker, AMappingThatIsNotUtf8) {
  for (const char* bytes : {"\xff", "\xc3", "\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
                            "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    expect_damaged("{\"tb\": \"/"s + bytes + "\"}", "it is not UTF-8");
    expect_damaged("{\"tb\": \"/"s + bytes, "it is not UTF-8");
  }
  for (const char* escapes : {"\\ud800", "\\udc00", "\\udc00\\ud800", "\\ud800\\ud800", "\\ud800x", "\\ud800\\n",
                              "\\ud800\\u", "\\ud800\\u0041"}) {
    expect_damaged("{\"tb\": \"/"s + escapes + "\"}");
    expect_damaged("{\""s + escapes + "\": \"/x\"}");
  }
}

TEST_F(FsTracker, PathsOfThisRun) {
  start_run(k_usual);
  EXPECT_EQ(fs_tracker::get_artifact_cache("weights"), "/home/ann/weights");
  EXPECT_EQ(fs_tracker::get_artifact_cache("weights", "mine"), "/home/ann/weights");
  EXPECT_EQ(fs_tracker::get_model_directory(), "/run/modeldir");
  EXPECT_EQ(fs_tracker::get_tensorboard_dir(), "/run/tb");
  EXPECT_EQ(fs_tracker::get_experiment_key(), "mine");
  EXPECT_THROW(fs_tracker::get_artifact_cache("x"), fs_tracker::UnknownTagError);
}

TEST_F(FsTracker, PathsInTheHome) {
  EXPECT_EQ(fs_tracker::get_artifact_cache("w", "other"), dir_ + "/.studioml/experiments/other/w");
  start_run(k_usual);
  const std::string home = dir_ + "/home";
  EXPECT_EQ(fs_tracker::get_studio_home(), home);
  EXPECT_EQ(fs_tracker::get_artifact_cache("w", std::string("other")), home + "/experiments/other/w");
  EXPECT_EQ(fs_tracker::get_model_directory("other.1"), home + "/experiments/other.1/modeldir");
  EXPECT_EQ(fs_tracker::get_tensorboard_dir("other.1"), home + "/experiments/other.1/tb");
  EXPECT_EQ(fs_tracker::get_blob_cache("0a1b.tar"), home + "/blobcache/0a1b.tar");
  EXPECT_EQ(fs_tracker::get_queue_directory(), home + "/queue");
  EXPECT_FALSE(std::filesystem::exists(home));
  set("STUDIOML_HOME", "/x/");
  EXPECT_EQ(fs_tracker::get_queue_directory(), "/x/queue");
}

TEST_F(FsTracker, TheHomeWithoutStudiomlHome) {
  set("HOME", dir_ + "//");
  EXPECT_EQ(fs_tracker::get_studio_home(), dir_ + "/.studioml");
  set("HOME", "/");
  EXPECT_EQ(fs_tracker::get_studio_home(), "/.studioml");
  unsetenv("HOME");  // the password database knows it
  EXPECT_EQ(fs_tracker::get_studio_home().front(), '/');
  set("STUDIOML_HOME", "home");
  expect_error<fs_tracker::ArtifactError>("Studio's home 'home' is not an absolute path: set STUDIOML_HOME.",
                                          [] { return fs_tracker::get_queue_directory(); });
}

TEST_F(FsTracker, InvalidNames) {
  start_run(k_usual);
  for (const std::string& name : {""s, "."s, ".."s, "a/b"s, "../x"s, "/x"s, "a b"s, "é"s, "x\n"s}) {
    const auto text = [&name](const std::string& noun) {
      return "'" + name + "' is not a valid " + noun +
             ": use letters, digits, '.', '_' and '-', and not only '.' or '..'.";
    };
    using fs_tracker::InvalidNameError;
    expect_error<InvalidNameError>(text("tag"), [&] { return fs_tracker::get_artifact_cache(name, "other"); });
    expect_error<InvalidNameError>(text("experiment key"), [&] { return fs_tracker::get_artifact_cache("tb", name); });
    expect_error<InvalidNameError>(text("experiment key"), [&] { return fs_tracker::get_model_directory(name); });
    expect_error<InvalidNameError>(text("experiment key"), [&] { return fs_tracker::get_tensorboard_dir(name); });
    expect_error<InvalidNameError>(text("blob key"), [&] { return fs_tracker::get_blob_cache(name); });
  }
  EXPECT_THROW(fs_tracker::get_blob_cache("a\0b"s), fs_tracker::InvalidNameError);
  for (const char* name : {"...", ".x", "-", "_", "A-b_c.9"})
    EXPECT_EQ(fs_tracker::get_blob_cache(name), dir_ + "/home/blobcache/" + name);
}

}  // namespace
