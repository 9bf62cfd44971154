#include "os/process_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>

#include <filesystem>
#include <thread>

#include "os/child.hpp"
#include "os/process_testing.hpp"

namespace studio::os {
namespace {

constexpr EndOptions k_at_once{};
const std::string k_mark = concat("STUDIO_TEST_MARK=", ::getpid());

// Every process started here carries k_mark, and is found by it whatever became of its parents.
std::vector<Process> marked() { return group_members({.leader = 0, .leader_start_time = 0, .environment = {k_mark}}); }

bool alive(pid_t pid) {
  const auto process = find_process(pid);
  return process && !process->ended;
}

class ProcessTree : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(become_subreaper()); }
  void TearDown() override {
    end_descendants(k_at_once);
    EXPECT_THAT(marked(), testing::IsEmpty()) << "left by the test";
  }

  Result<Child> start(const std::vector<std::string>& argv, Role role = Role::run) const {
    ChildOptions options{.argv = argv, .environment = own_environment(), .directory = directory_.path(), .role = role};
    options.environment.push_back(k_mark);
    return spawn(options);
  }
  Result<Child> shell(const std::string& script, Role role = Role::run) const {
    return start({"/bin/sh", "-c", script}, role);
  }
  Result<Child> python(const std::string& script, const std::string& argument = "") const {
    return start({"python3", "-c", script, argument});
  }

  // The number that a process of the test writes to a file, followed by a newline.
  pid_t pid_in(const std::string& name) const {
    const std::string path = directory_ / name;
    EXPECT_TRUE(eventually([&] { return text_of(path).ends_with('\n'); })) << name;
    return std::stoi(text_of(path));
  }

  test::ScratchDirectory directory_;
};

TEST_F(ProcessTree, ReadsNamesOfAnyKind) {
  for (const std::string name : {"a) Z 1 (b c", "((", "))) 1 2 3", "new\nline) R"}) {
    const std::string program = directory_ / name;
    std::filesystem::copy_file("/bin/sleep", program);
    auto child = start({program, "1000"});
    ASSERT_TRUE(child) << name;
    const auto process = find_process(child->pid());
    ASSERT_TRUE(process) << name;
    EXPECT_EQ(process->pid, child->pid());
    EXPECT_EQ(process->parent, ::getpid()) << name;
    EXPECT_EQ(process->group, child->pid()) << name;
    EXPECT_EQ(process->session, ::getsid(0)) << name;
    EXPECT_FALSE(process->ended) << name;
    EXPECT_TRUE(child->signal_group(SIGKILL));
    EXPECT_TRUE(child->wait());
  }
}

TEST_F(ProcessTree, KnowsAProcessByItsStartTime) {
  const auto ours = start_time_of(::getpid());
  ASSERT_TRUE(ours);
  EXPECT_TRUE(process_is(::getpid(), *ours));
  EXPECT_FALSE(process_is(::getpid(), *ours + 1));
  auto child = shell("exit 0");
  ASSERT_TRUE(child);
  const auto start_time = start_time_of(child->pid()).value();
  EXPECT_GE(start_time, *ours);
  ASSERT_TRUE(eventually([&] { return find_process(child->pid())->ended; }));
  EXPECT_FALSE(process_is(child->pid(), start_time)) << "a zombie has ended";
  EXPECT_TRUE(child->wait());
  EXPECT_EQ(find_process(child->pid()), std::nullopt);
  EXPECT_EQ(start_time_of(child->pid()), std::nullopt);
}

TEST_F(ProcessTree, TakesALeaderWithoutItsFirstThreadForAlive) {
  auto child = python(
      "import ctypes, os, threading, time\n"
      "def rest():\n"
      "    ready = open('ready', 'w'); ready.write('%d\\n' % os.getpid()); ready.close()\n"
      "    time.sleep(1000)\n"
      "threading.Thread(target=rest).start()\n"
      "ctypes.CDLL(None).syscall(60, 0)\n");  // exit, of this thread only
  ASSERT_TRUE(child);
#ifdef __x86_64__
  const pid_t pid = pid_in("ready");
  EXPECT_TRUE(eventually([&] { return read_proc(concat("/proc/", pid, "/stat")).find(") Z ") != std::string::npos; }));
  EXPECT_TRUE(process_is(pid, start_time_of(pid).value()));
#endif
  EXPECT_TRUE(end_descendants(k_at_once).empty());
  EXPECT_TRUE(child->wait());
}

// A daemon as books teach it: double fork, a session of its own, deaf to signals.
constexpr const char* k_daemon =
    "import os, signal, sys, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(s, signal.SIG_IGN)\n"
    "        os.chdir('/') if len(sys.argv) > 2 else None\n"
    "        with open('daemon', 'w') as f: f.write('%d\\n' % os.getpid())\n"
    "        time.sleep(1000)\n"
    "    os._exit(0)\n"
    "os.wait()\n";

TEST_F(ProcessTree, FindsAndEndsADaemon) {
  auto child = python(k_daemon);
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait()->exit_code, 0);
  const pid_t daemon = pid_in("daemon");
  EXPECT_NE(::getsid(daemon), ::getsid(0));
  EXPECT_EQ(find_process(daemon).value().parent, ::getpid());
  EXPECT_TRUE(end_descendants({.grace = std::chrono::milliseconds(100)}).empty());
  EXPECT_EQ(find_process(daemon), std::nullopt) << "not reaped";
}

TEST_F(ProcessTree, AsksBeforeItKills) {
  auto child = shell("trap 'echo asked > asked; exit 5' TERM; echo $$ > pid; while :; do sleep 0.01; done");
  ASSERT_TRUE(child);
  pid_in("pid");
  EXPECT_TRUE(end_descendants({.grace = std::chrono::seconds(60)}).empty());
  EXPECT_EQ(child->wait()->exit_code, 5) << "a held child is left for its Child to reap";
  EXPECT_EQ(text_of(directory_ / "asked"), "asked\n");
}

TEST_F(ProcessTree, WakesTheStoppedToAskThem) {
  auto child = shell("trap 'exit 6' TERM; echo $$ > pid; kill -STOP $$; while :; do sleep 0.01; done");
  ASSERT_TRUE(child);
  pid_in("pid");
  ASSERT_TRUE(
      eventually([&] { return read_proc(concat("/proc/", child->pid(), "/stat")).find(") T ") != std::string::npos; }));
  EXPECT_TRUE(end_descendants({.grace = std::chrono::seconds(60)}).empty());
  EXPECT_EQ(child->wait()->exit_code, 6);
}

TEST_F(ProcessTree, CanBeHurried) {
  auto child = shell("trap '' TERM; echo $$ > pid; while :; do sleep 0.01; done");
  ASSERT_TRUE(child);
  pid_in("pid");
  std::stop_source hurry;
  const std::jthread impatient([&] { hurry.request_stop(); });
  EXPECT_TRUE(end_descendants({.grace = std::chrono::hours(1)}, hurry.get_token()).empty());
  EXPECT_EQ(child->wait()->signal, SIGKILL);
}

TEST_F(ProcessTree, ChasesThoseThatFork) {
  // Answers each request to end with two new processes, for a while.
  auto child = python(
      "import os, signal, time\n"
      "depth = 0\n"
      "def more(*_):\n"
      "    global depth\n"
      "    depth += 1\n"
      "    for _ in range(2):\n"
      "        if depth < 5 and os.fork() == 0: os.setsid()\n"
      "signal.signal(signal.SIGTERM, more)\n"
      "with open('pid', 'w') as f: f.write('%d\\n' % os.getpid())\n"
      "while True: time.sleep(0.01)\n");
  ASSERT_TRUE(child);
  pid_in("pid");
  EXPECT_TRUE(end_descendants({.grace = std::chrono::milliseconds(200)}).empty());
  EXPECT_TRUE(marked().empty());
}

TEST_F(ProcessTree, CatchesARunaway) {
  // Has no number for longer than a fork takes; the second one no session either.
  for (const char* step : {"pass", "os.setsid()"}) {
    const test::ScratchDirectory directory;
    auto child = python(concat("import os, sys\n"
                               "with open(sys.argv[1], 'w') as f: f.write('%d\\n' % os.getpid())\n"
                               "while True:\n"
                               "    if os.fork() != 0: os._exit(0)\n"
                               "    ",
                               step, "\n"),
                        (directory / "pid"));
    ASSERT_TRUE(child);
    ASSERT_TRUE(eventually([&] { return text_of(directory / "pid").ends_with('\n'); }));
    EXPECT_TRUE(end_descendants({.patience = std::chrono::seconds(60)}).empty()) << step;
    EXPECT_TRUE(marked().empty()) << step;
  }
}

TEST_F(ProcessTree, SparesHelpersAndExceptions) {
  const std::string script = "echo $$ > PID; sh -c 'echo $$ > SUB; exec sleep 1000'; true";
  const auto named = [&](const std::string& name) {
    std::string text = script;
    text.replace(text.find("PID"), 3, name);
    text.replace(text.find("SUB"), 3, concat(name, "-sub"));
    return text;
  };
  auto helper = shell(named("helper"), Role::helper);
  auto exception = shell(named("exception"));
  auto victim = shell(named("victim"));
  ASSERT_TRUE(helper && exception && victim);
  for (const char* name : {"helper", "exception", "victim"}) pid_in(concat(name, "-sub"));
  EXPECT_TRUE(end_descendants({.except = {exception->pid()}}).empty());
  EXPECT_EQ(victim->wait()->signal, SIGKILL);
  EXPECT_FALSE(alive(pid_in("victim-sub")));
  for (const char* name : {"helper", "helper-sub", "exception", "exception-sub"})
    EXPECT_TRUE(alive(pid_in(name))) << name;
  EXPECT_TRUE(end_descendants(k_at_once).empty());
  EXPECT_EQ(exception->wait()->signal, SIGKILL);
  EXPECT_TRUE(alive(pid_in("helper-sub")));
  EXPECT_TRUE(helper->signal_group(SIGKILL));
  EXPECT_TRUE(helper->wait());
}

TEST_F(ProcessTree, TellsWhatDescendantsUse) {
  EXPECT_EQ(usage_of_descendants().memory_bytes, 0u);
  auto helper = start({"sleep", "1000"}, Role::helper);
  ASSERT_TRUE(helper);
  EXPECT_EQ(usage_of_descendants().memory_bytes, 0u);
  // A grandchild's time counts when its parent has waited for it.
  auto child = shell("(i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done); echo $$ > done; sleep 1000; true");
  ASSERT_TRUE(child);
  pid_in("done");
  const ProcessUsage usage = usage_of_descendants();
  EXPECT_GT(usage.memory_bytes, std::uint64_t{100} << 10);
  EXPECT_GT(usage.cpu_seconds, 0.01);
  helper->signal_group(SIGKILL);
  EXPECT_TRUE(helper->wait());
}

TEST_F(ProcessTree, ReapsOrphansButNotHeldChildren) {
  auto held = shell("exit 3");
  auto parent = shell("sh -c 'exit 4' & echo $! > orphan; exit 0");
  ASSERT_TRUE(held && parent);
  EXPECT_EQ(parent->wait()->exit_code, 0);
  const pid_t orphan = pid_in("orphan");
  EXPECT_TRUE(eventually([&] {
    reap_orphans();
    return !find_process(orphan);
  }));
  EXPECT_TRUE(eventually([&] { return find_process(held->pid())->ended; }));
  reap_orphans();
  EXPECT_EQ(held->wait()->exit_code, 3);
}

TEST_F(ProcessTree, EndsNothingWhenThereIsNothing) {
  EXPECT_TRUE(end_descendants({.grace = std::chrono::hours(1)}).empty());
  EXPECT_EQ(reap_orphans(), 0u);
}

// Trees of random shape, each process in the group of its parent, a group or a session of its own, some of their
// parents dead.
TEST_F(ProcessTree, EndsRandomTrees) {
  const std::string tree =
      "import os, random, sys, time\n"
      "seed = int(sys.argv[1]); depth = 0\n"
      "while depth < 4:\n"
      "    r = random.Random('%d %d' % (seed, depth)); depth += 1\n"
      "    for child in range(r.randrange(1, 4)):\n"
      "        if os.fork() == 0:\n"
      "            seed = seed * 10 + child\n"
      "            kind = r.randrange(3)\n"
      "            if kind == 1: os.setpgid(0, 0)\n"
      "            if kind == 2: os.setsid()\n"
      "            break\n"
      "    else:\n"
      "        if r.randrange(3) == 0: os._exit(0)\n"
      "        break\n"
      "time.sleep(1000)\n";
  for (int seed = 1; seed <= 10; ++seed) {
    auto child = python(tree, std::to_string(seed));
    ASSERT_TRUE(child);
    ASSERT_TRUE(eventually([&] { return marked().size() > 3 || child->try_wait().value(); }));
    EXPECT_TRUE(end_descendants(k_at_once).empty());
    EXPECT_THAT(marked(), testing::IsEmpty()) << "seed " << seed;
    EXPECT_TRUE(child->wait());
  }
}

// ---- What a Studio that died has left: its script, as seen from another process. ----

TEST_F(ProcessTree, EndsAGroupByItsLeader) {
  // In the group: a child; out of it: a grandchild in a session of its own.
  auto leader =
      shell("sh -c 'echo $$ > member; sleep 1000' & setsid sh -c 'echo $$ > away; exec sleep 1000' & sleep 1000");
  ASSERT_TRUE(leader);
  const pid_t member = pid_in("member");
  const pid_t away = pid_in("away");
  auto bystander = shell("exec sleep 1000");
  ASSERT_TRUE(bystander);
  const auto start_time = start_time_of(leader->pid()).value();
  const GroupIdentity recycled{.leader = leader->pid(), .leader_start_time = start_time - 1};
  EXPECT_THAT(group_members(recycled), testing::IsEmpty());
  EXPECT_TRUE(end_group(recycled, k_at_once).empty());
  EXPECT_TRUE(alive(leader->pid()) && alive(member) && alive(away));
  EXPECT_TRUE(end_group({.leader = leader->pid(), .leader_start_time = start_time}, {.grace = std::chrono::seconds(60)})
                  .empty());
  EXPECT_FALSE(alive(leader->pid()) || alive(member) || alive(away));
  EXPECT_TRUE(alive(bystander->pid()));
  EXPECT_EQ(leader->wait()->signal, SIGTERM);
}

TEST_F(ProcessTree, EndsTheRestOfAGroupAfterItsLeader) {
  // The leader ends when it is asked, and its number is free then; the member does not.
  auto leader = shell("sh -c 'trap \"\" TERM; echo $$ > member; while :; do sleep 0.01; done' & wait");
  ASSERT_TRUE(leader);
  const pid_t member = pid_in("member");
  const GroupIdentity identity{.leader = leader->pid(), .leader_start_time = start_time_of(leader->pid()).value()};
  const std::jthread reaper([&] { (void)leader->wait(); });
  EXPECT_TRUE(end_group(identity, {.grace = std::chrono::milliseconds(200)}).empty());
  EXPECT_FALSE(alive(member));
}

TEST_F(ProcessTree, EndsByTheEnvironmentWhenTheLeaderHasGone) {
  auto leader = python(k_daemon, "x");
  ASSERT_TRUE(leader);
  const GroupIdentity identity{.leader = leader->pid(), .leader_start_time = start_time_of(leader->pid()).value()};
  EXPECT_EQ(leader->wait()->exit_code, 0);
  const pid_t daemon = pid_in("daemon");
  EXPECT_THAT(group_members(identity), testing::IsEmpty());
  GroupIdentity with_mark = identity;
  with_mark.environment = {k_mark, "STUDIO_TEST_MARK=other"};
  EXPECT_THAT(group_members(with_mark), testing::IsEmpty()) << "all entries must be there";
  with_mark.environment = {k_mark.substr(0, k_mark.size() - 1)};
  EXPECT_THAT(group_members(with_mark), testing::IsEmpty()) << "a prefix is not enough";
  with_mark.environment = {k_mark};
  ASSERT_EQ(group_members(with_mark).size(), 1u);
  EXPECT_EQ(group_members(with_mark)[0].pid, daemon);
  EXPECT_TRUE(end_group(with_mark, {.grace = std::chrono::milliseconds(50)}).empty());
  EXPECT_FALSE(alive(daemon));
}

TEST_F(ProcessTree, NeverEndsItself) {
  const GroupIdentity ourselves{.leader = ::getpid(), .leader_start_time = start_time_of(::getpid()).value()};
  for (const Process& process : group_members(ourselves)) EXPECT_NE(process.pid, ::getpid());
}

}  // namespace
}  // namespace studio::os
