#include "os/child.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <thread>

#include "os/process_testing.hpp"
#include "os/process_tree.hpp"

namespace studio::os {
namespace {

using testing::HasSubstr;

Result<Child> shell(const std::string& script, ChildOptions options = {}) {
  options.argv = {"/bin/sh", "-c", script};
  if (options.environment.empty()) options.environment = own_environment();
  return spawn(options);
}

// What `options` writes to standard output.
std::string output_of(ChildOptions options, const std::string& script) {
  const test::ScratchDirectory directory;
  const Fd file = open(directory / "out", O_WRONLY | O_CREAT, 0600).value();
  options.output = file.get();
  auto child = shell(script, std::move(options));
  if (!child) return concat("error: ", child.error().message);
  if (!child->wait()) return "wait failed";
  return text_of(directory / "out");
}

Error error_of(const std::vector<std::string>& argv, const std::string& directory = {}) {
  auto child = spawn({.argv = argv, .environment = own_environment(), .directory = directory});
  if (child) {
    (void)child->wait();
    return Error{Code::internal, "it ran"};
  }
  return child.error();
}

TEST(Child, ReportsExitCodes) {
  for (const int code : {0, 1, 42, 255}) {
    auto child = shell(concat("exit ", code));
    ASSERT_TRUE(child);
    const auto exit = child->wait();
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->exit_code, code);
    EXPECT_EQ(exit->signal, std::nullopt);
    EXPECT_EQ(child->wait()->exit_code, code) << "asked again";
  }
}

TEST(Child, ReportsSignals) {
  auto child = shell("kill -TERM $$");
  ASSERT_TRUE(child);
  const auto exit = child->wait();
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->signal, SIGTERM);
  EXPECT_EQ(exit->exit_code, std::nullopt);
  EXPECT_FALSE(exit->core_dumped);
}

TEST(Child, ReportsUsage) {
  auto child = spawn(
      {.argv = {"python3", "-c", "x = bytearray(64 << 20); sum(range(300000))"}, .environment = own_environment()});
  ASSERT_TRUE(child);
  const auto exit = child->wait();
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->exit_code, 0);
  EXPECT_GE(exit->usage.peak_memory_bytes, std::uint64_t{64} << 20);
  EXPECT_GT(exit->usage.user_seconds + exit->usage.system_seconds, 0);
}

TEST(Child, CanBePolled) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  auto child = shell("read line", {.input = read_end.get()});
  ASSERT_TRUE(child);
  pollfd polled{child->pidfd(), POLLIN, 0};
  EXPECT_EQ(::poll(&polled, 1, 0), 0);
  EXPECT_FALSE(child->try_wait().value().has_value());
  write_end.reset();
  EXPECT_EQ(::poll(&polled, 1, 60000), 1);
  EXPECT_TRUE(eventually([&] { return child->try_wait().value().has_value(); }));
  EXPECT_EQ(child->wait()->exit_code, 1);
}

TEST(Child, GetsTheEnvironmentAndTheDirectoryOfTheOptions) {
  const test::ScratchDirectory directory;
  const std::string real = std::filesystem::canonical(directory.path());
  EXPECT_EQ(output_of({.environment = {"A=1 2", "PATH=/usr/bin:/bin"}, .directory = directory.path()},
                      "echo $A; pwd -P; env | grep -c ^A="),
            concat("1 2\n", real, "\n1\n"));
}

TEST(Child, LeadsAGroupIfAskedTo) {
  auto leader = shell("kill -STOP $$", {.new_group = true});
  ASSERT_TRUE(leader);
  EXPECT_EQ(::getpgid(leader->pid()), leader->pid());
  auto member = shell("kill -STOP $$", {.new_group = false});
  ASSERT_TRUE(member);
  EXPECT_EQ(::getpgid(member->pid()), ::getpgrp());
  EXPECT_TRUE(leader->signal_group(SIGKILL));
  EXPECT_TRUE(member->signal_group(SIGKILL));
  EXPECT_EQ(leader->wait()->signal, SIGKILL);
  EXPECT_EQ(member->wait()->signal, SIGKILL);
  EXPECT_FALSE(leader->signal_group(SIGKILL)) << "the number may be another's now";
}

TEST(Child, SignalsWhatIsLeftOfTheGroup) {
  const test::ScratchDirectory directory;
  auto child = shell("sh -c 'echo $$ > pid; exec sleep 1000' & while [ ! -s pid ]; do sleep 0.01; done; exit 3",
                     {.directory = directory.path()});
  ASSERT_TRUE(child);
  pollfd ended{child->pidfd(), POLLIN, 0};
  ASSERT_EQ(::poll(&ended, 1, 60000), 1);
  const pid_t left = std::stoi(text_of(directory / "pid"));
  ASSERT_TRUE(find_process(left));
  EXPECT_TRUE(child->signal_group(SIGKILL));
  EXPECT_TRUE(eventually([&] {
    const auto process = find_process(left);
    return !process || process->ended;
  }));
  EXPECT_EQ(child->wait()->exit_code, 3);
}

TEST(Child, InheritsNoOtherDescriptor) {
  const int leaky = ::open("/dev/null", O_RDONLY);  // not O_CLOEXEC
  const int high = ::fcntl(leaky, F_DUPFD, 500);
  // ls itself opens one more, for the directory.
  EXPECT_EQ(output_of({}, "cd /proc/self/fd && for fd in *; do [ -e \"$fd\" ] && echo $fd; done; true"), "0\n1\n2\n");
  ::close(leaky);
  ::close(high);
}

TEST(Child, GetsStreamsThatAreStandardDescriptorsOfOurs) {
  // Crosswise: its output is our descriptor 0 and its input our 1.
  const test::ScratchDirectory directory;
  directory.write("in", "hello\n");
  const Fd saved_input(::fcntl(0, F_DUPFD_CLOEXEC, 10));
  const Fd saved_output(::fcntl(1, F_DUPFD_CLOEXEC, 10));
  const Fd out = open(directory / "out", O_WRONLY | O_CREAT, 0600).value();
  const Fd in = open(directory / "in", O_RDONLY).value();
  ::dup2(out.get(), 0);
  ::dup2(in.get(), 1);
  auto child = shell("cat", {.input = 1, .output = 0});
  saved_input ? ::dup2(saved_input.get(), 0) : ::close(0);
  saved_output ? ::dup2(saved_output.get(), 1) : ::close(1);
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait()->exit_code, 0);
  EXPECT_EQ(text_of(directory / "out"), "hello\n");
}

TEST(Child, WorksWhenOurStandardDescriptorsAreClosed) {
  const test::ScratchDirectory directory;
  const Fd out = open(directory / "out", O_WRONLY | O_CREAT, 0600).value();
  const Fd saved(::fcntl(0, F_DUPFD_CLOEXEC, 10));
  ::close(0);
  {
    // The pipe for errors gets this number, and then the pidfd.
    auto child = shell("echo fine", {.output = out.get()});
    EXPECT_TRUE(child && child->wait()->exit_code == 0);
  }
  const Error error = error_of({"/no/such/program"});
  if (saved) ::dup2(saved.get(), 0);
  EXPECT_EQ(text_of(directory / "out"), "fine\n");
  EXPECT_EQ(error.code, Code::not_found);
}

TEST(Child, StartsWithDefaultSignals) {
  sigset_t set;
  sigset_t before;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &set, &before);
  const auto pipe_before = ::signal(SIGPIPE, SIG_IGN);
  const std::string script = "grep -E '^Sig(Blk|Ign)' /proc/self/status";
  const std::string plain = output_of({}, script);
  const std::string hangup_ignored = output_of({.ignored = {SIGHUP}}, script);
  ::signal(SIGPIPE, pipe_before);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(plain, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  EXPECT_EQ(hangup_ignored, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000001\n");
}

TEST(Child, KeepsItsExitStatusWhenChildSignalsWereIgnored) {
  ::signal(SIGCHLD, SIG_IGN);
  auto child = shell("exit 7");
  ASSERT_TRUE(child);
  const auto exit = child->wait();
  ::signal(SIGCHLD, SIG_DFL);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->exit_code, 7);
}

TEST(Child, RunsNicely) {
  const int ours = ::getpriority(PRIO_PROCESS, 0);
  EXPECT_EQ(output_of({.niceness = 3}, "ps -o ni= -p $$ | tr -d ' '"), concat(std::min(ours + 3, 19), "\n"));
}

TEST(Child, DiesWithTheThreadThatSpawnedItIfItIsTo) {
  std::optional<Child> child;
  std::thread([&] { child.emplace(shell("exec sleep 1000", {.parent_death_signal = SIGTERM}).value()); }).join();
  EXPECT_EQ(child->wait()->signal, SIGTERM);
}

TEST(Child, GoesOnWithoutItsObject) {
  const test::ScratchDirectory directory;
  pid_t pid = 0;
  {
    auto child = shell("while [ ! -e go ]; do sleep 0.01; done; touch went", {.directory = directory.path()});
    ASSERT_TRUE(child);
    pid = child->pid();
    EXPECT_EQ(held_children().at(pid), Role::run);
    const Child moved = std::move(*child);
    EXPECT_TRUE(held_children().contains(pid));
  }
  EXPECT_FALSE(held_children().contains(pid));
  directory.write("go", "");
  EXPECT_TRUE(eventually([&] { return exists(directory / "went"); }));
  ::waitpid(pid, nullptr, 0);
}

TEST(Spawn, NamesAMissingProgram) {
  const Error in_path = error_of({"no-such-program-of-studio"});
  EXPECT_EQ(in_path.code, Code::not_found);
  EXPECT_EQ(in_path.message, "cannot run 'no-such-program-of-studio': there is no such program in PATH");
  const Error by_path = error_of({"./nothing"}, "/tmp");
  EXPECT_EQ(by_path.code, Code::not_found);
  EXPECT_EQ(by_path.message, "cannot run './nothing': No such file or directory");
  EXPECT_EQ(error_of({}).code, Code::invalid);
  EXPECT_EQ(error_of({""}).code, Code::invalid);
}

TEST(Spawn, NamesAMissingInterpreter) {
  const test::ScratchDirectory directory;
  const Error missing = error_of({directory.write("t.sh", "#! /no/such/interpreter -x\n", 0755)});
  EXPECT_EQ(missing.code, Code::invalid);
  EXPECT_THAT(missing.message,
              HasSubstr("its interpreter '/no/such/interpreter' (named by its #! line) does not exist"));
  const Error windows = error_of({directory.write("w.sh", "#!/bin/sh\r\necho\r\n", 0755)});
  EXPECT_THAT(windows.message, HasSubstr("'/bin/sh\\x0d'"));
  EXPECT_THAT(windows.hint, HasSubstr("dos2unix"));
}

TEST(Spawn, TellsWhyAFileCannotRun) {
  const test::ScratchDirectory directory;
  const Error not_executable = error_of({directory.write("plain", "#!/bin/sh\n", 0644)});
  EXPECT_EQ(not_executable.code, Code::denied);
  EXPECT_THAT(not_executable.message, HasSubstr("it is not executable"));
  EXPECT_THAT(not_executable.hint, HasSubstr("chmod +x"));
  EXPECT_THAT(error_of({directory.path()}).message, HasSubstr("it is a directory"));
  const std::string binary(
      "\x7f"
      "ELFnonsense\0\0\0",
      15);
  EXPECT_THAT(error_of({directory.write("binary", binary, 0755)}).message,
              HasSubstr("neither a program for this machine nor a script"));
  EXPECT_THAT(error_of({directory.write("empty", "", 0755)}).message, HasSubstr("the file is empty"));
  const std::string interpreter = directory.write("interpreter", "#!/bin/sh\n", 0644);
  EXPECT_THAT(error_of({directory.write("t", concat("#!", interpreter, "\n"), 0755)}).message,
              HasSubstr(concat("its interpreter '", interpreter, "' (named by its #! line) is not executable")));
  EXPECT_THAT(error_of({"/bin/true", std::string(std::size_t{4} << 20, 'x')}).message, HasSubstr("too long"));
}

TEST(Spawn, TellsTheSameOfAFileInAnotherDirectory) {
  const test::ScratchDirectory directory;
  directory.write("t.sh", "#!/no/such/interpreter\n", 0755);
  directory.write("plain", "x", 0644);
  EXPECT_EQ(error_of({"./t.sh"}, directory.path()).message,
            "cannot run './t.sh': its interpreter '/no/such/interpreter' (named by its #! line) does not exist");
  EXPECT_THAT(error_of({"./plain"}, directory.path()).hint, HasSubstr("chmod +x './plain'"));
}

TEST(Spawn, ShowsAScriptItsNameAsTyped) {
  const test::ScratchDirectory directory;
  directory.write("script", "#!/bin/sh\necho \"$0\" > out\n", 0755);
  auto child = spawn({.argv = {"./script"}, .environment = own_environment(), .directory = directory.path()});
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait()->exit_code, 0);
  EXPECT_EQ(text_of(directory / "out"), "./script\n");
}

TEST(Spawn, NamesAMissingDirectory) {
  const Error error = error_of({"/bin/true"}, "/no/such/directory");
  EXPECT_EQ(error.code, Code::not_found);
  EXPECT_EQ(error.message, "cannot enter directory '/no/such/directory': No such file or directory");
}

TEST(Spawn, RunsAScriptWithoutInterpreterLineLikeAShell) {
  const test::ScratchDirectory directory;
  directory.write("script", "echo \"$0 $1\" > out\n", 0755);
  auto child = spawn({.argv = {"./script", "a b"}, .environment = own_environment(), .directory = directory.path()});
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait()->exit_code, 0);
  EXPECT_EQ(text_of(directory / "out"), "./script a b\n");
}

TEST(Spawn, LooksIntoThePathOfTheGivenEnvironment) {
  const test::ScratchDirectory directory;
  directory.write("only-here", "#!/bin/sh\nexit 9\n", 0755);
  auto child = spawn({.argv = {"only-here"}, .environment = {concat("PATH=", directory.path())}});
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait()->exit_code, 9);
}

// Many threads start children, failing ones among them, while others write the very programs to be run.
TEST(Spawn, IsSafeWithThreads) {
  std::atomic<int> right{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&right, thread] {
        const test::ScratchDirectory directory;
        for (int i = 0; i < 10; ++i) {
          const int code = (thread * 31 + i) % 256;
          const std::string script = directory.write(concat("s", i), concat("#!/bin/sh\nexit ", code, "\n"), 0755);
          auto child = spawn({.argv = {script}, .environment = own_environment()});
          if (child && child->wait()->exit_code == code) ++right;
          if (error_of({(directory / "missing")}).code == Code::not_found) ++right;
        }
      });
    }
  }
  EXPECT_EQ(right, 8 * 10 * 2);
  EXPECT_TRUE(held_children().empty());
}

ProgramOptions program(const std::string& script) {
  return {.argv = {"sh", "-c", script}, .environment = own_environment()};
}

TEST(RunAndRead, GivesOutputAndExitCode) {
  const auto output = run_and_read(program("echo out; echo err >&2; cat; exit 4"));
  ASSERT_TRUE(output);
  EXPECT_EQ(output->text, "out\n");
  EXPECT_EQ(output->exit.exit_code, 4);
  EXPECT_FALSE(output->truncated);
  EXPECT_FALSE(output->succeeded());
}

TEST(RunAndRead, TakesNoMoreThanAskedFor) {
  ProgramOptions options = program("while :; do echo 0123456789; done");
  options.most_bytes = 100'000;
  const auto output = run_and_read(options);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->text.size(), 100'000u);
  EXPECT_TRUE(output->truncated);
  options = program("printf 12345");
  options.most_bytes = 5;
  EXPECT_EQ(run_and_read(options)->text, "12345");
  EXPECT_FALSE(run_and_read(options)->truncated);
}

// The program and its child both ignore polite signals, and the child holds the pipe open.
constexpr std::string_view k_stubborn = "trap '' TERM INT HUP; sleep 1000 & echo $! > pid; wait; sleep 1000";

TEST(RunAndRead, KillsTheGroupOnTimeout) {
  const test::ScratchDirectory directory;
  ProgramOptions options = program(std::string(k_stubborn));
  options.directory = directory.path();
  options.timeout = std::chrono::milliseconds(300);
  const auto output = run_and_read(options);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, Code::unavailable);
  EXPECT_THAT(output.error().message, HasSubstr("'sh' did not end within 300 ms"));
  const std::string pid = text_of(directory / "pid");
  if (pid.empty()) return;  // a slow machine: ended before it got that far
  EXPECT_TRUE(eventually([&] {
    const auto process = find_process(std::stoi(pid));
    return !process || process->ended;
  }));
}

TEST(RunAndRead, KillsTheGroupWhenStopped) {
  const test::ScratchDirectory directory;
  ProgramOptions options = program(std::string(k_stubborn));
  options.directory = directory.path();
  Code code = Code::internal;
  std::jthread thread([&](const std::stop_token& stop) {
    const auto output = run_and_read(options, stop);
    if (!output) code = output.error().code;
  });
  ASSERT_TRUE(eventually([&] { return text_of(directory / "pid").ends_with('\n'); }));
  thread.request_stop();
  thread.join();
  EXPECT_EQ(code, Code::cancelled);
  EXPECT_TRUE(eventually([&] {
    const auto process = find_process(std::stoi(text_of(directory / "pid")));
    return !process || process->ended;
  }));
}

TEST(RunAndRead, DoesNotStartOnceStopped) {
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(run_and_read(program("echo x"), source.get_token()).error().code, Code::cancelled);
}

TEST(RunAndRead, DoesNotWaitForWhatTheProgramLeftBehind) {
  const auto output = run_and_read(program("sleep 1000 & echo said"));
  ASSERT_TRUE(output);
  EXPECT_EQ(output->text, "said\n");
  EXPECT_EQ(output->exit.exit_code, 0);
}

TEST(RunAndRead, ReportsAMissingProgram) {
  EXPECT_EQ(run_and_read({.argv = {"no-such-program-of-studio"}, .environment = own_environment()}).error().code,
            Code::not_found);
}

TEST(Environment, IsReadAndChanged) {
  std::vector<std::string> environment{"A=1", "AB=2", "EMPTY="};
  EXPECT_EQ(find_variable(environment, "A"), "1");
  EXPECT_EQ(find_variable(environment, "EMPTY"), "");
  EXPECT_EQ(find_variable(environment, "B"), std::nullopt);
  set_variable(environment, "A", "x=y");
  set_variable(environment, "C", "3");
  EXPECT_EQ(environment, (std::vector<std::string>{"A=x=y", "AB=2", "EMPTY=", "C=3"}));
  const ScopedVariable variable("STUDIO_TEST_OWN", "here");
  EXPECT_EQ(find_variable(own_environment(), "STUDIO_TEST_OWN").value_or(""), "here");
}

}  // namespace
}  // namespace studio::os
