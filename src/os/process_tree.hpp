// What a script leaves running: finding and ending every process that came from it, daemons included.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace studio::os {

// From /proc/PID/stat. A process is (pid, start_time): the number alone may be given to another one later.
struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  std::uint64_t start_time = 0;    // field 22: clock ticks since boot
  bool ended = false;              // a zombie: it only waits for its parent to look
  double cpu_seconds = 0;          // its own, and that of children that it has waited for
  std::uint64_t memory_bytes = 0;  // resident
};

// Nothing if there is no such process.
std::optional<Process> find_process(pid_t pid);
std::optional<std::uint64_t> start_time_of(pid_t pid);
// Whether that very process is there and has not ended.
bool process_is(pid_t pid, std::uint64_t start_time);

// From now on orphans among our descendants become our children instead of init's, so that no double fork and no setsid
// gets away. Once per process, before anything is started.
Result<void> become_subreaper();

// Reaps children that have ended and that no Child stands for: orphans that came to us. To be called now and then in a
// long run. Returns how many.
std::size_t reap_orphans();

struct ProcessUsage {
  double cpu_seconds = 0;          // until now; of those that ended, only as far as a living parent waited for them
  std::uint64_t memory_bytes = 0;  // resident, now; what processes share counts for each
};
// Of all our descendants but helpers (os/child.hpp) and what descends from those.
ProcessUsage usage_of_descendants();

struct EndOptions {
  // Sent once to each, followed by SIGCONT in case it is stopped.
  int first_signal = SIGTERM;
  // From the first signal until SIGKILL; 0: SIGKILL at once, first_signal is not sent.
  std::chrono::milliseconds grace{0};
  // These, and what descends from them, are left alone.
  std::vector<pid_t> except = {};
  // From SIGKILL until giving up on those that the kernel cannot end (sleeping in a dead disk).
  std::chrono::milliseconds patience{5000};
};

// Ends all our descendants, looking again until none is left, since they may fork meanwhile, and reaps those that are
// ours to reap. A requested stop of `hurry` cuts the grace short. A process that a Child stands for is ended too, but
// left for that Child to reap; helpers (os/child.hpp) and their descendants are left alone. Needs become_subreaper().
// Returns what is still there: other users' processes and those that cannot be killed.
std::vector<Process> end_descendants(const EndOptions& options, std::stop_token hurry = {});

// The processes of a run whose Studio has died: they are no descendants of ours.
struct GroupIdentity {
  pid_t leader = 0;  // the script, which led a process group of its own
  std::uint64_t leader_start_time = 0;
  // "NAME=VALUE" entries of the environment that the script was started with, all of which its descendants inherited
  // unless they changed them. Tells its processes from others when the leader has ended. Empty: do not look.
  std::vector<std::string> environment = {};
};

// Ends the leader, its process group, its descendants, and the sessions they lead, if the leader is still that very
// process; and in any case whatever carries `environment`, with the same closure. Never this process. Returns what is
// still there.
std::vector<Process> end_group(const GroupIdentity& identity, const EndOptions& options, std::stop_token hurry = {});
// What end_group() would end now.
std::vector<Process> group_members(const GroupIdentity& identity);

}  // namespace studio::os
