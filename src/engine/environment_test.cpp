#include "engine/environment.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "contract/scratch_directory.hpp"
#include "os/child.hpp"

namespace studio::engine {
namespace {

TEST(MayRecord, OnlyWhatExplainsAResultAndIsNoSecret) {
  EXPECT_TRUE(may_record("PATH", "/usr/bin"));
  EXPECT_TRUE(may_record("CUDA_VISIBLE_DEVICES", "0,1"));
  EXPECT_TRUE(may_record("SLURM_JOB_ID", "17"));
  EXPECT_FALSE(may_record("EDITOR", "vi"));
  EXPECT_FALSE(may_record("AWS_SECRET_ACCESS_KEY", "x"));
  EXPECT_FALSE(may_record("CONDA_API_TOKEN", "x"));
  EXPECT_FALSE(may_record("PYTHON_db_password", "x"));
  EXPECT_FALSE(may_record("STUDIOML_PROXY", "http://me:pw@host/"));
  EXPECT_FALSE(may_record("SLURM_COMMENT", "hf_abcdef"));
  EXPECT_FALSE(may_record("TF_X", "-----BEGIN RSA PRIVATE KEY-----"));
}

TEST(WithoutCredentials, KeepsTheRestOfTheUrl) {
  EXPECT_EQ(without_credentials("https://me:pw@host/a@b.git"), "https://host/a@b.git");
  EXPECT_EQ(without_credentials("https://host/a@b.git"), "https://host/a@b.git");
  EXPECT_EQ(without_credentials("git@host:a.git"), "git@host:a.git");
}

class GatherTest : public testing::Test {
 protected:
  void git(const std::string& arguments) {
    const std::string line = concat("git -c user.name=n -c user.email=e@x ", arguments);
    const auto output = os::run_and_read({.argv = {"sh", "-c", line}, .environment = os::own_environment(), .directory = directory_.path()});
    ASSERT_TRUE(output.has_value() && output->succeeded()) << line;
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(directory_ / name) << text; }
  model::Environment gather(const std::string& interpreter = "") { return gather_environment({directory_.path(), interpreter}, {}); }

  test::ScratchDirectory directory_;
};

TEST_F(GatherTest, OutsideARepositoryThereIsNoGit) {
  const auto facts = gather();
  EXPECT_FALSE(facts.git.has_value());
  EXPECT_FALSE(facts.python.has_value());
  EXPECT_GT(facts.host.cpus, 0u);
  EXPECT_GT(facts.host.memory_bytes, 0u);
  EXPECT_FALSE(facts.host.system.empty());
}

TEST_F(GatherTest, ARepositoryWithChanges) {
  git("init -q -b main .");
  auto facts = gather();
  ASSERT_TRUE(facts.git.has_value());
  EXPECT_EQ(facts.git->commit, "");
  write("a", "one\n");
  git("add a");
  git("commit -q -m first");
  git("remote add origin https://me:secret@host/x.git");
  EXPECT_FALSE(gather().git->dirty);
  write("a", "two\n");
  write("new \xff file", "x");
  facts = gather();
  EXPECT_EQ(facts.git->commit.size(), 40u);
  EXPECT_EQ(facts.git->branch, "main");
  EXPECT_EQ(facts.git->remote, "https://host/x.git");
  EXPECT_TRUE(facts.git->dirty);
  EXPECT_NE(facts.git->diff.find("+two"), std::string::npos);
  EXPECT_EQ(facts.git->untracked, std::vector<std::string>{"new \xff file"});
  EXPECT_NO_THROW((void)model::to_json(facts).dump());
}

TEST_F(GatherTest, AHugeDiffIsCut) {
  git("init -q .");
  write("a", "");
  git("add a");
  git("commit -q -m first");
  write("a", std::string(1 << 20, 'x'));
  const auto facts = gather();
  EXPECT_TRUE(facts.git->diff_truncated);
  EXPECT_LE(facts.git->diff.size(), std::size_t{256} << 10);
}

TEST_F(GatherTest, PythonIsAskedForItsPackages) {
  write("json.py", "raise SystemExit('a file of the run must not be imported')");
  const auto facts = gather("/usr/bin/python3");
  ASSERT_TRUE(facts.python.has_value());
  EXPECT_EQ(facts.python->version.substr(0, 2), "3.");
  EXPECT_EQ(gather("/bin/false").python->version, "");
}

}  // namespace
}  // namespace studio::engine
