// A child process: passive, watched through a pollable descriptor, ended only by whoever asks for it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace studio::os {

// What a child is to Studio: `helper`s (git, python -c) are no part of the run, so end_descendants() leaves them alone.
enum class Role { run, helper };

struct ChildOptions {
  // argv[0] is looked up in the PATH of `environment`, unless it has a slash.
  std::vector<std::string> argv = {};
  // All of it, as "NAME=VALUE".
  std::vector<std::string> environment = {};
  // Where it starts, and what a relative argv[0] is relative to; empty: ours.
  std::string directory = {};
  // Borrowed descriptors for its standard streams; -1: ours.
  int input = -1;
  int output = -1;
  int error = -1;
  // It leads a process group of its own.
  bool new_group = true;
  // Added to that of the calling thread.
  int niceness = 0;
  // With new_group: its group becomes the foreground of this terminal before it runs.
  int foreground_terminal = -1;
  // Signals that it starts with ignored. All others are at their default, none is blocked.
  std::vector<int> ignored = {};
  Role role = Role::run;
  // Sent to it when the thread that spawned it ends, even if this process is killed (prctl(2), PR_SET_PDEATHSIG); 0:
  // none.
  int parent_death_signal = 0;
};

struct ChildUsage {
  double user_seconds = 0;
  double system_seconds = 0;
  // Linux counts what the forked copy of this process took before it became the program: never below our own memory at
  // that time.
  std::uint64_t peak_memory_bytes = 0;
};

// `exit_code` or `signal` is set.
struct ChildExit {
  std::optional<int> exit_code;
  std::optional<int> signal;
  bool core_dumped = false;
  ChildUsage usage;  // of the child and of those of its descendants that it waited for
};

// The destructor lets the process go on; it then counts as an orphan (os/process_tree.hpp).
// One thread at a time may wait; pid(), pidfd() and signal_group() are free for all.
class Child {
 public:
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }
  // Readable (POLLIN) once the process has ended, before and after it is waited for.
  int pidfd() const { return pidfd_.get(); }

  // Waits for the end. Once it has been seen every call returns the same.
  Result<ChildExit> wait();
  // Nothing while it runs.
  Result<std::optional<ChildExit>> try_wait();

  // Sends `signal` to the child's process group (to the child alone without new_group). False, with nothing sent, after
  // its end was seen by wait() or try_wait(): from then on the number may be another's. Until then it reaches what is
  // left of the group even if its leader has ended.
  bool signal_group(int signal) const;

 private:
  friend Result<Child> spawn(const ChildOptions& options);
  Child(pid_t pid, Fd pidfd, bool leads_group) : pid_(pid), pidfd_(std::move(pidfd)), leads_group_(leads_group) {}

  pid_t pid_;  // 0: moved from
  Fd pidfd_;
  bool leads_group_;
  std::optional<ChildExit> exit_;
};

// Starts a program; on success it has begun to run (its execve succeeded). A program that cannot run is an error that
// names it and the cause: `not_found`, `denied`, `invalid` (no program, or its `#!` interpreter is missing). A text
// file without `#!` is run by /bin/sh, as shells do. The child gets only the three standard descriptors. Safe while
// other threads spawn, open files or handle signals. Needs Linux 5.3 (pidfd).
Result<Child> spawn(const ChildOptions& options);

struct ProgramOptions {
  std::vector<std::string> argv = {};
  std::vector<std::string> environment = {};
  std::string directory = {};
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
  std::size_t most_bytes = std::size_t{1} << 20;
  int niceness = 0;
};

struct ProgramOutput {
  std::string text;        // the first `most_bytes` of its standard output
  bool truncated = false;  // there was more: the program was killed for it, and `exit` tells so
  ChildExit exit;

  bool succeeded() const { return exit.exit_code == 0; }
};

// Runs a helper program to its end: in a process group of its own, standard input empty, standard error discarded. The
// group is killed when the program ends, and before that when `timeout` is over (`unavailable`) or a stop is requested
// (`cancelled`).
Result<ProgramOutput> run_and_read(const ProgramOptions& options, std::stop_token stop = {});

// The children that a living Child stands for and has not yet seen ended. A process forked before the call is either in
// it or not ours.
std::map<pid_t, Role> held_children();

// A copy of this process's environment.
std::vector<std::string> own_environment();
// The value of a variable; it points into `environment`.
std::optional<std::string_view> find_variable(const std::vector<std::string>& environment, std::string_view name);
// Adds the variable or replaces it.
void set_variable(std::vector<std::string>& environment, std::string_view name, std::string_view value);

}  // namespace studio::os
