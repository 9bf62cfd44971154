#include "engine/environment.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "contract/scratch_directory.hpp"
#include "engine/host_facts.hpp"
#include "os/child.hpp"
#include "os/process_testing.hpp"

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
    const auto output = os::run_and_read(
        {.argv = {"sh", "-c", line}, .environment = os::own_environment(), .directory = directory_.path()});
    ASSERT_TRUE(output.has_value() && output->succeeded()) << line;
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(directory_ / name) << text; }
  model::Environment gather(const std::string& interpreter = "") {
    return gather_environment({directory_.path(), interpreter}, {});
  }

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

// Each secret below is a made-up one.
TEST(MayRecord, NoSecretUnderAnAllowedName) {
  for (const std::string name :
       {"STUDIOML_KEY", "TF_TOKEN_x", "CONDA_SECRET", "PYTHON_PASS", "TORCH_CRED", "JAX_AUTH_X", "TF_COOKIE",
        "SLURM_SESSION", "CUDA_PRIVATE", "XLA_SIGNATURE", "PYTHON_DSN", "TF_token"})
    EXPECT_FALSE(may_record(name, "x")) << name;
  for (const std::string value :
       {"https://u:p@host/x", "postgres://u:p/w@host/db", "a https://ghost@host", "-----BEGIN OPENSSH PRIVATE KEY-----",
        "AKIAABCDEFGHIJKLMNOP", "/x/AKIAABCDEFGHIJKLMNOP", "ghp_abcdefghijklmnop0123",
        "x=github_pat_11ABCDEFG0abcdefghij", "hf_abcdefghijklmnopqrst", "/x/hf_abcdefghijklmnopqrst",
        "sk-abcdefghijklmnopqrst", "sk-proj-abc_def-ghi", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "-var password=hunter2", "Authorization: Bearer abc"})
    EXPECT_FALSE(may_record("STUDIOML_X", value)) << value;
}

TEST(MayRecord, WhatOnlyLooksALittleLikeASecret) {
  for (const std::string value :
       {"/usr/bin:/opt/disk-images-and-more-of-them/bin", "/data/hf_models", "/opt/task-runner-number-one/bin",
        "https://host:8080/path", "s3://bucket/path", "user@host", ""})
    EXPECT_TRUE(may_record("PATH", value)) << value;
  EXPECT_TRUE(may_record("LC_ALL", "C"));
  EXPECT_TRUE(may_record("HF_HOME", "/data/hf_home"));
  EXPECT_FALSE(may_record("PATHS", "x"));
  EXPECT_FALSE(may_record("", ""));
  EXPECT_TRUE(may_record("PATH", std::string(1 << 20, 'e')));
}

TEST(RecordedVariables, AreThoseThatMayBe) {
  const auto variables = recorded_variables({"PATH=/bin", "LANG=a=b", "EDITOR=vi", "TF_TOKEN=x", "odd"});
  EXPECT_EQ(variables, (std::map<std::string, std::string>{{"PATH", "/bin"}, {"LANG", "a=b"}}));
}

TEST(WithoutCredentials, LeavesNoPasswordInAnyForm) {
  EXPECT_EQ(without_credentials("https://token@host/x"), "https://host/x");
  EXPECT_EQ(without_credentials("https://u:p@w@host/x"), "https://host/x");
  EXPECT_EQ(without_credentials("https://u:p/w@host/x"), "https://host/x");
  EXPECT_EQ(without_credentials("https://host:8080/x?private_token=1#2"), "https://host:8080/x");
  EXPECT_EQ(without_credentials("ssh://git:pw@host/x"), "ssh://git@host/x");
  EXPECT_EQ(without_credentials("u:pw@host:x"), "host:x");
  EXPECT_EQ(without_credentials("https://host/ghp_abcdefghijklmnop0123/x"), "");
  EXPECT_EQ(without_credentials("/srv/a@b.git"), "/srv/a@b.git");
  EXPECT_EQ(without_credentials(""), "");
}

TEST(ParseGpus, ReadsFromTheRight) {
  const auto found = parse_gpus("NVIDIA H100 80GB HBM3, 81559, 535.104.05\nA, B, [N/A], 1\nnonsense\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0], (model::Gpu{"NVIDIA H100 80GB HBM3", std::uint64_t{81559} << 20, "535.104.05"}));
  EXPECT_EQ(found[1], (model::Gpu{"A, B", {}, "1"}));
}

TEST(HostFacts, GpuUseIsOfAllTogether) {
  const auto use = parse_gpu_use("12, 1024\n100, 3\nnonsense\n[N/A], 5\n7, [N/A]\n");
  ASSERT_TRUE(use.has_value());
  EXPECT_EQ(use->percent, 112);
  EXPECT_EQ(use->memory_bytes, std::uint64_t{1027} << 20);
  EXPECT_FALSE(parse_gpu_use("").has_value());
  EXPECT_FALSE(parse_gpu_use("No devices were found\n").has_value());
}

TEST(PrettyName, IsUnquoted) {
  EXPECT_EQ(pretty_name("NAME=x\nPRETTY_NAME=\"A \\\"B\\\" 1\"\n"), "A \"B\" 1");
  EXPECT_EQ(pretty_name("PRETTY_NAME='A 1'"), "A 1");
  EXPECT_EQ(pretty_name("PRETTY_NAME=Arch"), "Arch");
  EXPECT_EQ(pretty_name("ID=x"), "");
}

TEST_F(GatherTest, ARepositoryWithoutCommits) {
  git("init -q -b main .");
  write("a", "one\n");
  write("b", "new\n");
  git("add a");
  const auto facts = gather();
  ASSERT_TRUE(facts.git.has_value());
  EXPECT_EQ(facts.git->commit, "");
  EXPECT_EQ(facts.git->branch, "main");
  EXPECT_EQ(facts.git->remote, "");
  EXPECT_NE(facts.git->diff.find("+one"), std::string::npos);
  EXPECT_EQ(facts.git->untracked, std::vector<std::string>{"b"});
}

TEST_F(GatherTest, OddNamesAndASubdirectory) {
  git("init -q -b main .");
  write("tracked", "1");
  write(".gitignore", "ignored\n");
  git("add .");
  git("commit -q -m first");
  git("checkout -q --detach");
  for (const std::string name : {"a\nb", "\"q\" 'r' $HOME", "ignored", "-n", " "}) write(name, "x");
  ASSERT_TRUE(os::make_directories(directory_ / "sub").has_value());
  const auto facts = gather_environment({directory_ / "sub", ""}, {});
  ASSERT_TRUE(facts.git.has_value());
  EXPECT_EQ(facts.git->branch, "");
  EXPECT_EQ(facts.git->untracked, (std::vector<std::string>{" ", "\"q\" 'r' $HOME", "-n", "a\nb"}));
}

TEST_F(GatherTest, RunsNoProgramOfTheRepositoryAndWritesNothing) {
  git("init -q -b main .");
  write(".gitattributes", "* diff=mine\n");
  write("a", "1\n");
  git("add .");
  git("commit -q -m first");
  for (const std::string name :
       {"core.fsmonitor", "diff.external", "diff.mine.textconv", "diff.mine.command", "core.pager"})
    git(concat("config ", name, " \"touch $PWD/.git/ran;false\""));
  write("a", "2\n");
  const auto index = os::read_file(directory_ / ".git/index").value();
  const auto facts = gather();
  EXPECT_NE(facts.git->diff.find("+2"), std::string::npos);
  EXPECT_FALSE(os::exists(directory_ / ".git/ran"));
  EXPECT_EQ(os::read_file(directory_ / ".git/index").value(), index);
}

TEST_F(GatherTest, AStopLeavesOutWhatIsNotThereYet) {
  git("init -q .");
  std::stop_source stop;
  stop.request_stop();
  const auto facts = gather_environment({directory_.path(), "/usr/bin/python3"}, stop.get_token());
  EXPECT_FALSE(facts.git.has_value());
  EXPECT_FALSE(facts.host.kernel.empty());
}

TEST_F(GatherTest, PackagesOfTheModulePathAreSeenAndNothingIsLeftBehind) {
  ASSERT_TRUE(os::make_directories(directory_ / "lib/made_up-1.5.dist-info").has_value());
  write("lib/made_up-1.5.dist-info/METADATA", "Metadata-Version: 2.1\nName: made-up\nVersion: 1.5\n");
  write("lib/sitecustomize.py", "print('hello')\n");
  const os::ScopedVariable path("PYTHONPATH", (directory_ / "lib").c_str());
  const auto facts = gather("/usr/bin/python3");
  ASSERT_TRUE(facts.python.has_value());
  ASSERT_TRUE(facts.python->packages.contains("made-up"));
  EXPECT_EQ(facts.python->packages.at("made-up"), "1.5");
  EXPECT_FALSE(os::exists(directory_ / "lib/__pycache__"));
}

}  // namespace
}  // namespace studio::engine
