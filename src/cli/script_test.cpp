#include "cli/script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/fd.hpp"
#include "os/process_testing.hpp"

namespace studio::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;
using Words = std::vector<std::string>;

class ScriptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"bin", "other", "work", "work/sub", "work/folder"})
      ASSERT_TRUE(os::make_directories(directory_ / name));
    directory_.write("bin/python3", "#!/bin/sh\n", 0755);
    directory_.write("bin/tool", "#!/bin/sh\n", 0755);
    directory_.write("bin/split", "#!/bin/sh\n", 0755);
    directory_.write("work/train.py", "");
    directory_.write("work/sub/train.py", "");
    directory_.write("work/train.sh", "#!/bin/sh\n", 0755);
    directory_.write("work/split", "#!/bin/sh\n", 0755);
    directory_.write("work/snake", "#!/usr/bin/env python3\n", 0755);
    directory_.write("work/notes.txt", "");
    sources_ = {.python = "", .search = directory_ / "bin", .directory = (directory_ / "work")};
  }

  Result<Script> resolve(const Words& words, bool after_dashes = false) {
    return resolve_script({.rest = words, .after_dashes = after_dashes}, sources_);
  }
  Error error(const Words& words, bool after_dashes = false) {
    const auto script = resolve(words, after_dashes);
    EXPECT_FALSE(script);
    return script ? Error() : script.error();
  }
  std::optional<std::string> hidden(const Words& words, bool after_dashes = false) {
    const auto script = resolve(words, after_dashes);
    EXPECT_TRUE(script);
    return script ? why_package_is_hidden(*script, sources_) : std::nullopt;
  }

  test::ScratchDirectory directory_;
  ScriptSources sources_;
};

TEST_F(ScriptTest, PythonFilesAreGivenToTheInterpreter) {
  const std::string python3 = directory_ / "bin/python3";
  EXPECT_THAT(resolve({"train.py", "-x"})->argv, ElementsAre(python3, "train.py", "-x"));
  EXPECT_EQ(resolve({"sub/train.py"})->interpreter, python3);
  sources_.search = directory_ / "other";
  EXPECT_THAT(error({"train.py"}).message, HasSubstr("python3"));
  const std::string python = directory_.write("other/python", "#!/bin/sh\n", 0755);
  EXPECT_EQ(resolve({"train.py"})->interpreter, python);
  sources_.python = python3;
  EXPECT_EQ(resolve({"train.py"})->interpreter, python3);
  sources_.python = "/no/such/python";
  EXPECT_THAT(error({"train.py"}).message, HasSubstr("/no/such/python"));
}

TEST_F(ScriptTest, ExecutablesAndCommands) {
  EXPECT_THAT(resolve({"./train.sh", "a"})->argv, ElementsAre("./train.sh", "a"));
  EXPECT_THAT(resolve({"tool", "-e"})->argv, ElementsAre("tool", "-e"));
  EXPECT_THAT(resolve({"train.sh"})->argv, ElementsAre("./train.sh")) << "no command has that name";
  EXPECT_THAT(resolve({"split"})->argv, ElementsAre("split")) << "as a shell understands it";
  EXPECT_THAT(resolve({"tool", "train.py"}, true)->argv, ElementsAre("tool", "train.py"));
  EXPECT_EQ(resolve({"tool"})->interpreter, "");
  EXPECT_EQ(resolve({"./snake"})->interpreter, directory_ / "bin/python3");
  EXPECT_EQ(resolve({"python3", "train.py"}, true)->interpreter, directory_ / "bin/python3");
}

TEST_F(ScriptTest, AUsageErrorSaysWhatIsWrong) {
  EXPECT_THAT(error({}).message, HasSubstr("no script"));
  EXPECT_THAT(error({}, true).message, HasSubstr("after --"));
  EXPECT_THAT(error({"missing.py"}).message, HasSubstr("'missing.py' does not exist"));
  EXPECT_THAT(error({"./missing"}).message, HasSubstr("'./missing' does not exist"));
  EXPECT_THAT(error({"no-such-command"}).message, HasSubstr("'no-such-command'"));
  EXPECT_THAT(error({"no-such-command"}, true).message, HasSubstr("'no-such-command'"));
  EXPECT_THAT(error({"./folder"}).message, HasSubstr("is a directory"));
  EXPECT_THAT(error({"folder"}).message, HasSubstr("is a directory"));
  EXPECT_THAT(error({"./notes.txt"}).message, HasSubstr("not executable"));
  EXPECT_THAT(error({"./notes.txt"}).hint, HasSubstr("chmod +x"));
  EXPECT_THAT(error({"./notes.txt"}).hint, HasSubstr("-- sh ./notes.txt"));
  EXPECT_THAT(error({"train.py"}, true).hint, HasSubstr("studio run train.py"));
  EXPECT_THAT(error({""}).message, HasSubstr("''"));
}

TEST_F(ScriptTest, ThePackageIsHiddenByFlagsOfTheInterpreter) {
  for (const Words& words : {Words{"python3", "-I", "train.py"},
                             {"python3", "-u", "-E", "train.py"},
                             {"python3", "-sE", "train.py"},
                             {"python3", "-W", "ignore", "-I", "-m", "x"},
                             {"python3", "-uIc", "pass"}})
    EXPECT_THAT(hidden(words, true), Optional(HasSubstr("-I"))) << ::testing::PrintToString(words);
  for (const Words& words : {Words{"python3", "train.py", "-I"},
                             {"python3", "-WIgnore", "train.py"},
                             {"python3", "-X", "-I", "train.py"},
                             {"python3", "-c", "-I"},
                             {"python3", "-m", "x", "-E"},
                             {"tool", "-I"}})
    EXPECT_EQ(hidden(words, true), std::nullopt) << ::testing::PrintToString(words);
  EXPECT_EQ(hidden({"train.py", "-I"}), std::nullopt) << "an argument of the script";
}

TEST_F(ScriptTest, ThePackageIsHiddenByAFileBesideTheScript) {
  EXPECT_EQ(hidden({"train.py"}), std::nullopt);
  directory_.write("work/studio.py", "");
  EXPECT_THAT(hidden({"train.py"}), Optional(HasSubstr("work/studio.py")));
  EXPECT_THAT(hidden({"python3", "-m", "x"}, true), Optional(HasSubstr("work/studio.py")));
  EXPECT_THAT(hidden({"./snake"}), Optional(HasSubstr("work/studio.py")));
  EXPECT_EQ(hidden({"sub/train.py"}), std::nullopt) << "Python looks beside the script";
  ASSERT_TRUE(os::make_directories(directory_ / "work/sub/studio"));
  EXPECT_EQ(hidden({"sub/train.py"}), std::nullopt) << "a directory alone is no package that comes before another";
  directory_.write("work/sub/studio/__init__.py", "");
  EXPECT_THAT(hidden({"sub/train.py"}), Optional(HasSubstr("work/sub/studio/__init__.py")));
}

}  // namespace
}  // namespace studio::cli
