#include "cli/capture_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/concat.hpp"
#include "os/paths.hpp"
#include "os/process_testing.hpp"

namespace studio::cli {
namespace {

using model::CaptureMode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CaptureSpecTest : public ::testing::Test {
 protected:
  os::ScopedVariable home_{"HOME", "/home/ada"};
  os::ScopedVariable data_{"DATA", "/mnt/cifar"};
  os::ScopedVariable unset_{"NOT_SET", nullptr};
  std::string here_ = *os::current_directory();
};

TEST_F(CaptureSpecTest, PathAndTag) {
  const struct {
    std::string value;
    std::string path;
    std::string tag;
  } cases[] = {
      {"~/data:d", "/home/ada/data", "d"},
      {"~:home", "/home/ada", "home"},
      {"$DATA:d", "/mnt/cifar", "d"},
      {"${DATA}/train:t", "/mnt/cifar/train", "t"},
      {"data:d", here_ + "/data", "d"},
      {".:here", here_, "here"},
      {"/a:b:c", "/a:b", "c"},
      {"/a//b/./c/:t", "/a/b/c", "t"},
      {"/a b\n:t", "/a b\n", "t"},
      {"/naïve:t", "/naïve", "t"},
      {"~/data", "/home/ada/data", "data"},
      {"~/data/", "/home/ada/data", "data"},
      {"~/data///", "/home/ada/data", "data"},
      {"$DATA", "/mnt/cifar", "cifar"},
      {"weights.v2", here_ + "/weights.v2", "weights.v2"},
      {"/x:D-9_.a", "/x", "D-9_.a"},
      {concat("/x:", std::string(100, 'a')), "/x", std::string(100, 'a')},
  };
  for (const auto& expected : cases) {
    const auto spec = parse_capture(CaptureMode::capture, expected.value);
    ASSERT_TRUE(spec) << expected.value << ": " << spec.error().message;
    EXPECT_EQ(spec->path, expected.path) << expected.value;
    EXPECT_EQ(spec->tag, expected.tag) << expected.value;
    EXPECT_EQ(spec->flag, "--capture=" + expected.value);
  }
}

TEST_F(CaptureSpecTest, WhatCannotBeHonouredNamesTheFlagAndShowsTheForm) {
  for (const std::string value :
       {":t",      ":",    "/x:",   "/x:a b",       "/x:a/b",   "/x:ümlaut",  "/x:..",   "/x:.",
        "/x:a@v1", "/x:$", "/",     "~/my data",    "~/dätä",   "~/data/..",  "..",      ".",
        "~/a+b",   "{}",   "[a,b]", "$NOT_SET/x:t", "${DATA:t", "/bad\xff:t", "/bad\xff"}) {
    for (const CaptureMode mode : {CaptureMode::capture, CaptureMode::once}) {
      const auto spec = parse_capture(mode, value);
      ASSERT_FALSE(spec) << value;
      EXPECT_EQ(spec.error().code, Code::invalid) << value;
      const std::string flag = mode == CaptureMode::once ? "--capture-once" : "--capture";
      EXPECT_THAT(spec.error().message, HasSubstr(flag)) << value;
    }
  }
  EXPECT_THAT(parse_capture(CaptureMode::once, "/x:a b").error().hint, HasSubstr("--capture-once PATH:TAG"));
  EXPECT_FALSE(parse_capture(CaptureMode::once, concat("/x:", std::string(101, 'a'))));
}

TEST_F(CaptureSpecTest, Reuse) {
  const struct {
    const char* value;
    const char* artifact;
    const char* tag;
  } cases[] = {{"exp/w:t", "exp/w", "t"},
               {"exp/w", "exp/w", "w"},
               {"exp/w@v3", "exp/w@v3", "w"},
               {"exp/w@v3:t", "exp/w@v3", "t"},
               {"exp/w@latest:t", "exp/w@latest", "t"}};
  for (const auto& expected : cases) {
    const auto spec = parse_reuse(expected.value);
    ASSERT_TRUE(spec) << expected.value;
    EXPECT_EQ(spec->artifact, expected.artifact);
    EXPECT_EQ(spec->tag, expected.tag);
    EXPECT_EQ(spec->flag, concat("--reuse=", expected.value));
  }
  for (const char* value :
       {"exp", "exp:t", "exp/", "/w:t", "exp/w:", "exp/w:a b", "exp/w@3:t", "exp/w@v3@v4:t", ":t"}) {
    const auto spec = parse_reuse(value);
    ASSERT_FALSE(spec) << value;
    EXPECT_THAT(spec.error().message, HasSubstr("--reuse")) << value;
    EXPECT_THAT(spec.error().hint, HasSubstr("EXP/TAG:NEWTAG")) << value;
  }
}

engine::CaptureSpec capture(const std::string& tag) { return {CaptureMode::capture, tag, "/x", "--capture=/x:" + tag}; }
engine::ReuseSpec reuse(const std::string& tag) { return {"exp/a", tag, "--reuse=exp/a:" + tag}; }

TEST(CheckTags, ATagIsGivenOnce) {
  EXPECT_TRUE(check_tags({capture("a"), capture("b")}, {reuse("c")}));
  EXPECT_TRUE(check_tags({capture("modeldir")}, {})) << "a default artifact may be replaced";
  EXPECT_THAT(check_tags({capture("a"), capture("a")}, {}).error().message, HasSubstr("'a' is given twice"));
  EXPECT_THAT(check_tags({capture("tb"), capture("tb")}, {}).error().message, HasSubstr("tb"));
  EXPECT_THAT(check_tags({capture("a")}, {reuse("a")}).error().message,
              AllOf(HasSubstr("--capture=/x:a"), HasSubstr("--reuse=exp/a:a")));
  EXPECT_THAT(check_tags({}, {reuse("tb")}).error().message, HasSubstr("default"));
}

TEST(SharedVariables, TagsThatDifferOnlyInSignsOrCaseAreToldOf) {
  EXPECT_THAT(shared_variables({capture("a"), capture("b")}, {reuse("c")}), IsEmpty());
  EXPECT_THAT(shared_variables({capture("a.b"), capture("a-b")}, {}), ElementsAre(HasSubstr("STUDIO_ARTIFACT_A_B")));
  EXPECT_THAT(shared_variables({capture("TB")}, {}),
              ElementsAre(AllOf(HasSubstr("TB, tb"), HasSubstr("STUDIO_ARTIFACT_TB"))));
  EXPECT_THAT(shared_variables({capture("tb")}, {}), IsEmpty()) << "it replaces the default";
}

}  // namespace
}  // namespace studio::cli
