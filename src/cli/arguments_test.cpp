#include "cli/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace studio::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

const std::vector<Flag> k_flags{{{"-c", "--capture"}, "PATH:TAG", true},
                                {{"-co", "--capture-once"}, "PATH:TAG", true},
                                {{"-e", "--experiment"}, "NAME", false},
                                {{"--project"}, "NAME", false},
                                {{"--quiet"}, "", false},
                                {{"-v", "--verbose"}, "", false}};
const std::string k_form = "studio run [FLAGS] SCRIPT [ARGS…]";

Result<Arguments> split(const Words& words, FlagsStand stand = FlagsStand::before_script) {
  return split_arguments(words, k_flags, stand, k_form);
}

struct Case {
  Words words;
  Words flags;
  Words rest;
  bool after_dashes = false;
};

TEST(SplitArguments, FlagsEndAtTheFirstArgumentThatIsNone) {
  const Case cases[] = {
      {{}, {}, {}},
      {{"train.py"}, {}, {"train.py"}},
      {{"train.py", "--experiment", "x", "-c", "--", "-h"}, {}, {"train.py", "--experiment", "x", "-c", "--", "-h"}},
      {{"-c", "a:b", "train.py"}, {"--capture", "a:b"}, {"train.py"}},
      {{"-c=a:b", "train.py"}, {"--capture", "a:b"}, {"train.py"}},
      {{"--capture", "a:b", "train.py"}, {"--capture", "a:b"}, {"train.py"}},
      {{"--capture=a:b", "train.py"}, {"--capture", "a:b"}, {"train.py"}},
      {{"-co", "a:b", "train.py"}, {"--capture-once", "a:b"}, {"train.py"}},
      {{"-co=a:b", "train.py"}, {"--capture-once", "a:b"}, {"train.py"}},
      {{"--capture-once", "a:b", "train.py"}, {"--capture-once", "a:b"}, {"train.py"}},
      {{"--capture-once=a=b:c", "train.py"}, {"--capture-once", "a=b:c"}, {"train.py"}},
      {{"-c", "a:b", "-c=c:d", "x"}, {"--capture", "a:b", "--capture", "c:d"}, {"x"}},
      {{"--quiet", "-v", "-v", "x", "--quiet"}, {"--quiet", "--verbose"}, {"x", "--quiet"}},
      {{"-e", "-x", "train.py"},
       {"--experiment", "-x"},
       {"train.py"}},  // a value may look like a flag, unless it is one
      {{"-e=-c", "train.py"}, {"--experiment", "-c"}, {"train.py"}},
      {{"-", "x"}, {}, {"-", "x"}},
      {{"", "x"}, {}, {"", "x"}},
      {{"-e", "k", "--", "python3", "-c", "x", "--"}, {"--experiment", "k"}, {"python3", "-c", "x", "--"}, true},
      {{"--"}, {}, {}, true},
      {{"--", "--quiet"}, {}, {"--quiet"}, true},
  };
  for (const Case& expected : cases) {
    const auto arguments = split(expected.words);
    ASSERT_TRUE(arguments) << ::testing::PrintToString(expected.words) << arguments.error().message;
    EXPECT_EQ(arguments->flags, expected.flags) << ::testing::PrintToString(expected.words);
    EXPECT_EQ(arguments->rest, expected.rest) << ::testing::PrintToString(expected.words);
    EXPECT_EQ(arguments->after_dashes, expected.after_dashes) << ::testing::PrintToString(expected.words);
    EXPECT_FALSE(arguments->wants_help);
  }
}

TEST(SplitArguments, FlagsOfOtherCommandsStandAnywhere) {
  const auto arguments = split({"exp/data", "--project", "p", "dest", "--quiet", "--", "-v"}, FlagsStand::anywhere);
  ASSERT_TRUE(arguments);
  EXPECT_THAT(arguments->flags, ElementsAre("--project", "p", "--quiet"));
  EXPECT_THAT(arguments->rest, ElementsAre("exp/data", "dest", "-v"));
}

TEST(SplitArguments, HelpIsWantedOnlyAmongTheFlags) {
  EXPECT_TRUE(split({"-e", "x", "--help"})->wants_help);
  EXPECT_TRUE(split({"-h", "--unknown"})->wants_help);
  EXPECT_FALSE(split({"train.py", "--help"})->wants_help);
}

struct ErrorCase {
  Words words;
  const char* message;
  const char* hint;
};

TEST(SplitArguments, AUsageErrorNamesTheFlagAndShowsItsForm) {
  const ErrorCase cases[] = {
      {{"-c"}, "-c needs a value", "--capture PATH:TAG"},
      {{"-co"}, "-co needs a value", "--capture-once PATH:TAG"},
      {{"--experiment", "--capture", "a:b"}, "--experiment needs a value", "--experiment NAME"},
      {{"--experiment", "--capture=a:b"}, "--experiment needs a value", "--experiment NAME"},
      {{"-e", "--", "x"}, "-e needs a value", "--experiment NAME"},
      {{"--capture=", "train.py"}, "--capture has an empty value", "--capture PATH:TAG"},
      {{"-co=", "train.py"}, "-co has an empty value", "--capture-once PATH:TAG"},
      {{"--experiment", "", "train.py"}, "--experiment has an empty value", "--experiment NAME"},
      {{"-e", "a", "--experiment=b"}, "--experiment is given twice", "--experiment NAME"},
      {{"--quiet=yes"}, "--quiet takes no value", "--quiet"},
      {{"--captur=a:b"}, "unknown flag --captur", "did you mean --capture PATH:TAG?"},
      {{"--capture-onc=a:b"}, "unknown flag --capture-onc", "did you mean --capture-once PATH:TAG?"},
      {{"--quite"}, "unknown flag --quite", "did you mean --quiet?"},
      {{"-capture", "a:b"}, "unknown flag -capture", "did you mean --capture PATH:TAG?"},
      {{"-x"}, "unknown flag -x", k_form.c_str()},
      {{"--nothing-like-it"}, "unknown flag --nothing-like-it", k_form.c_str()},
      {{"--new\nline"}, "unknown flag --new\\nline", ""},
  };
  for (const ErrorCase& expected : cases) {
    const auto arguments = split(expected.words);
    ASSERT_FALSE(arguments) << ::testing::PrintToString(expected.words);
    EXPECT_EQ(arguments.error().code, Code::invalid);
    EXPECT_THAT(arguments.error().message, HasSubstr(expected.message));
    EXPECT_THAT(arguments.error().hint, HasSubstr(expected.hint));
  }
}

}  // namespace
}  // namespace studio::cli
