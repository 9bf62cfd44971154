#include "os/paths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>

#include <array>
#include <filesystem>
#include <vector>

#include "os/child.hpp"
#include "os/process_testing.hpp"

namespace studio::os {
namespace {

std::string expanded(std::string_view text) {
  auto result = expand(text);
  return result ? *result : concat("error: ", result.error().message);
}

// What Python makes of the same texts.
std::vector<std::string> expanded_by_python(const std::vector<std::string>& texts) {
  std::vector<std::string> argv{
      "python3", "-c", "import os,sys; sys.stdout.write(''.join(os.path.expanduser(a) + '\\n' for a in sys.argv[1:]))"};
  argv.insert(argv.end(), texts.begin(), texts.end());
  const auto output = run_and_read({.argv = argv, .environment = own_environment()});
  std::istringstream lines(output ? output->text : output.error().message);
  std::vector<std::string> expanded;
  for (std::string line; std::getline(lines, line);) expanded.push_back(line);
  return expanded;
}

TEST(Expand, AgreesWithPythonAboutTheTilde) {
  const std::vector<std::string> texts{"~/weights",       "~",     "~/",   "~root/x", "~root",
                                       "~no-such-user/x", "a/~/b", "~//x", "plain",   "./~"};
  const std::array<const char*, 6> homes{"/home/alice", "/home/alice/", "/", "", "/home/a b", nullptr};
  for (const char* home : homes) {
    const ScopedVariable variable("HOME", home);
    std::vector<std::string> ours;
    for (const std::string& text : texts) ours.push_back(expanded(text));
    EXPECT_EQ(ours, expanded_by_python(texts)) << "HOME=" << (home == nullptr ? "(unset)" : home);
  }
}

TEST(Expand, ReplacesVariables) {
  const ScopedVariable home("HOME", "/h");
  const ScopedVariable one("STUDIO_TEST_ONE", "1");
  const ScopedVariable nested("STUDIO_TEST_NESTED", "~/$STUDIO_TEST_ONE");
  const ScopedVariable unset("STUDIO_TEST_UNSET", nullptr);
  EXPECT_EQ(expanded("$STUDIO_TEST_ONE/a"), "1/a");
  EXPECT_EQ(expanded("x${STUDIO_TEST_ONE}y$STUDIO_TEST_ONE"), "x1y1");
  EXPECT_EQ(expanded("~/$STUDIO_TEST_ONE"), "/h/1");
  EXPECT_EQ(expanded("$STUDIO_TEST_NESTED"), "~/$STUDIO_TEST_ONE");  // values are not expanded again
  EXPECT_EQ(expanded("a$"), "a$");
  EXPECT_EQ(expanded("$5 and $$"), "$5 and $$");
  EXPECT_EQ(expanded("\\$STUDIO_TEST_ONE"), "\\1");
  EXPECT_EQ(expanded("$STUDIO_TEST_UNSET/x"),
            "error: '$STUDIO_TEST_UNSET/x': the variable STUDIO_TEST_UNSET is not set");
  EXPECT_EQ(expand("$STUDIO_TEST_UNSET").error().code, Code::invalid);
  EXPECT_THAT(expanded("${STUDIO_TEST_ONE"), testing::StartsWith("error: "));
  EXPECT_THAT(expanded("${}"), testing::StartsWith("error: "));
  EXPECT_THAT(expanded("${a-b}"), testing::StartsWith("error: "));
}

TEST(Normalised, IsLexical) {
  const std::vector<std::pair<std::string, std::string>> cases{{"/a/b", "/a/b"},
                                                               {"/a//b///c/", "/a/b/c"},
                                                               {"/a/./b/.", "/a/b"},
                                                               {"/a/x/../b", "/a/b"},
                                                               {"/../..", "/"},
                                                               {"/", "/"},
                                                               {"//", "/"},
                                                               {"a/..", "."},
                                                               {"", "."},
                                                               {"../a", "../a"},
                                                               {"../../a", "../../a"},
                                                               {"a/../../b", "../b"},
                                                               {"./a", "a"},
                                                               {"/a/...", "/a/..."},
                                                               {"/a/b/../..", "/"}};
  for (const auto& [path, expected] : cases) EXPECT_EQ(normalised(path), expected) << path;
}

TEST(Absolute, StartsAtTheDirectory) {
  EXPECT_EQ(absolute("x", "/d"), "/d/x");
  EXPECT_EQ(absolute("../x/", "/d/e"), "/d/x");
  EXPECT_EQ(absolute("/x//y", "/d"), "/x/y");
  EXPECT_EQ(absolute(".", "/"), "/");
}

TEST(Resolve, MakesWhatPeopleTypeAbsolute) {
  const ScopedVariable home("HOME", "/home/alice/");
  const std::string here = std::filesystem::current_path();
  EXPECT_EQ(resolve("~/w/").value(), "/home/alice/w");
  EXPECT_EQ(resolve("model").value(), normalised(here + "/model"));
  EXPECT_EQ(resolve("/x/../y").value(), "/y");
  EXPECT_EQ(resolve("").error().code, Code::invalid);
}

TEST(HomeDirectory, FallsBackOnTheUserDatabase) {
  {
    const ScopedVariable home("HOME", "/somewhere");
    EXPECT_EQ(home_directory(), "/somewhere");
  }
  const ScopedVariable home("HOME", nullptr);
  EXPECT_EQ(home_directory(), ::getpwuid(::getuid())->pw_dir);
}

TEST(LoginName, IsThatOfTheUserDatabase) {
  const ScopedVariable user("USER", "somebody-else");
  EXPECT_EQ(login_name(), ::getpwuid(::geteuid())->pw_name);
}

TEST(FindProgram, LooksWhereAShellWould) {
  const test::ScratchDirectory directory;
  ASSERT_TRUE(make_directories(directory / "first/name"));  // a directory of that name is no program
  ASSERT_TRUE(make_directories(directory / "second"));
  ASSERT_TRUE(make_directories(directory / "third"));
  directory.write("second/name", "not executable", 0644);
  const std::string program = directory.write("third/name", "#!/bin/sh\n", 0755);
  const std::string search = concat(directory / "missing", ":", directory / "first", ":second:", directory / "third/");
  EXPECT_EQ(find_program("name", search, directory.path()), program);
  EXPECT_EQ(find_program("name", "first:third", directory.path()), program);
  EXPECT_EQ(find_program("name", "first:", directory / "third"),
            program);  // an empty entry is the directory itself
  EXPECT_EQ(find_program("third/name", "", directory.path()), program);
  EXPECT_EQ(find_program("./name", "", directory / "third"), program);
  EXPECT_EQ(find_program(program, "", "/"), program);
  EXPECT_EQ(find_program("name", "", directory / "third"), std::nullopt);
  EXPECT_EQ(find_program("name", "first:second", directory.path()), std::nullopt);
  EXPECT_EQ(find_program("name/", "third", directory.path()), std::nullopt);
  EXPECT_EQ(find_program("", "third", directory.path()), std::nullopt);
}

TEST(FindProgram, LeavesDotDotToTheKernel) {
  const test::ScratchDirectory directory;
  ASSERT_TRUE(make_directories(directory / "real/inner"));
  directory.write("real/tool", "#!/bin/sh\n", 0755);
  ASSERT_EQ(::symlink("real/inner", (directory / "link").c_str()), 0);
  EXPECT_EQ(find_program("link/../tool", "", directory.path()), directory / "link/../tool");
}

}  // namespace
}  // namespace studio::os
