#include "os/process_tree.hpp"

#include <dirent.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "base/concat.hpp"
#include "os/child.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"
#include "os/pidfd.hpp"

namespace studio::os {

namespace {

using Monotonic = std::chrono::steady_clock;
using Identity = std::pair<pid_t, std::uint64_t>;  // pid, start time

Identity identity_of(const Process& process) { return {process.pid, process.start_time}; }

// The entries of a directory of /proc whose names are numbers.
std::vector<pid_t> numbers_in(const std::string& directory) {
  std::vector<pid_t> numbers;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
  if (!stream) return numbers;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    pid_t number = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
    if (parsed.ec == std::errc() && parsed.ptr == name.data() + name.size()) numbers.push_back(number);
  }
  return numbers;
}

// The words of a text as numbers, up to the first that is none.
template <class Number>
std::vector<Number> numbers_of(std::string_view text) {
  std::vector<Number> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    while (at != end && (*at == ' ' || *at == '\n')) ++at;
    Number number{};
    const auto parsed = std::from_chars(at, end, number);
    if (parsed.ec != std::errc()) return numbers;
    numbers.push_back(number);
    at = parsed.ptr;
  }
}

// Nothing when the kernel was built without these lists (CONFIG_PROC_CHILDREN).
std::optional<std::vector<pid_t>> listed_children(pid_t pid) {
  static const bool available = exists("/proc/thread-self/children");
  if (!available) return std::nullopt;
  std::vector<pid_t> children;
  const std::string tasks = concat("/proc/", pid, "/task");
  for (const pid_t thread : numbers_in(tasks)) {
    const std::string list = read_proc(concat(tasks, "/", thread, "/children"));
    const auto found = numbers_of<pid_t>(list);
    children.insert(children.end(), found.begin(), found.end());
  }
  return children;
}

std::vector<Process> all_processes() {
  std::vector<Process> processes;
  for (const pid_t pid : numbers_in("/proc"))
    if (const auto process = find_process(pid)) processes.push_back(*process);
  return processes;
}

// Breadth first: each process stands after its parent.
using ChildrenOf = std::function<std::vector<Process>(pid_t)>;
std::vector<Process> walk(pid_t root, const ChildrenOf& children_of) {
  std::vector<Process> found;
  std::set<pid_t> seen{root};
  pid_t parent = root;
  for (std::size_t next = 0;; parent = found[next++].pid) {
    for (const Process& child : children_of(parent))
      if (seen.insert(child.pid).second) found.push_back(child);
    if (next == found.size()) return found;
  }
}

// Slow, and exact but for what changes meanwhile. The lists of children may leave out one while another is being reaped.
std::vector<Process> scanned_descendants(pid_t root) {
  std::multimap<pid_t, Process> by_parent;
  for (const Process& process : all_processes()) by_parent.emplace(process.parent, process);
  return walk(root, [&](pid_t parent) {
    std::vector<Process> children;
    const auto [begin, end] = by_parent.equal_range(parent);
    for (auto entry = begin; entry != end; ++entry) children.push_back(entry->second);
    return children;
  });
}

std::vector<Process> listed_descendants(pid_t root) {
  return walk(root, [](pid_t parent) {
    std::vector<Process> children;
    for (const pid_t pid : listed_children(parent).value_or(std::vector<pid_t>()))
      if (const auto child = find_process(pid)) children.push_back(*child);
    return children;
  });
}

enum class Sent { yes, gone, denied };

Sent send(const Process& process, int signal) {
  // The descriptor is opened first and the start time checked after: what had the number when it was opened still has it then.
  const Fd pidfd = open_pidfd(process.pid);
  const bool no_descriptor_left = !pidfd && (errno == EMFILE || errno == ENFILE);
  if (!pidfd && !no_descriptor_left) return Sent::gone;
  if (!process_is(process.pid, process.start_time)) return Sent::gone;
  const int result =
      pidfd ? send_to_pidfd(pidfd, signal) : ::kill(process.pid, signal);
  if (result == 0) return Sent::yes;
  return errno == EPERM ? Sent::denied : Sent::gone;
}

// Waits until one of the processes has ended, `wake` is readable (-1: none), or `most` has passed.
void wait_for_change(const std::vector<Process>& processes, int wake, std::chrono::milliseconds most) {
  static constexpr std::size_t k_most_watched = 64;  // the end of any is enough to look again
  std::vector<Fd> descriptors;
  std::vector<pollfd> polled{{wake, POLLIN, 0}};
  for (const Process& process : processes) {
    if (descriptors.size() == k_most_watched) break;
    Fd pidfd = open_pidfd(process.pid);
    if (!pidfd) continue;
    polled.push_back({pidfd.get(), POLLIN, 0});
    descriptors.push_back(std::move(pidfd));
  }
  ::poll(polled.data(), polled.size(), static_cast<int>(most.count()));
}

// Ends whatever `find` finds, until it finds nothing.
class Ending {
 public:
  using Find = std::function<std::vector<Process>()>;

  Ending(const EndOptions& options, Find find)
      : options_(options), find_(std::move(find)), kill_at_(Monotonic::now() + options.grace) {}

  std::vector<Process> run(const std::stop_token& hurry) {
    const Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const int wake_number = wake.get();
    const std::stop_callback wake_up(hurry, [wake_number] { ::eventfd_write(wake_number, 1); });
    while (true) {
      std::vector<Process> living = find_();
      const auto now = Monotonic::now();
      if (!killing_ && (now >= kill_at_ || hurry.stop_requested())) {
        killing_ = true;
        give_up_at_ = now + options_.patience;
      }
      const bool given_up = killing_ && now >= give_up_at_;
      if (living.empty() || given_up || !signal_all(living)) return living;
      // A newcomer was forked while we looked; its own children may come next, so look again at once.
      if (killing_ && newcomers_) continue;
      wait_for_change(living, killing_ ? -1 : wake_number, step(now));
    }
  }

 private:
  // False when none of them is ours to signal.
  bool signal_all(const std::vector<Process>& living) {
    newcomers_ = false;
    bool any = false;
    for (const Process& process : living) {
      const bool first_time = seen_.insert(identity_of(process)).second;
      newcomers_ |= first_time;
      const bool ask = !killing_ && first_time;
      const Sent sent = send(process, killing_ ? SIGKILL : ask ? options_.first_signal : 0);
      if (ask && sent == Sent::yes) send(process, SIGCONT);
      any |= sent != Sent::denied;
    }
    return any;
  }

  // How long to wait before looking again for processes that were forked meanwhile.
  std::chrono::milliseconds step(Monotonic::time_point now) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>((killing_ ? give_up_at_ : kill_at_) - now);
    return std::clamp(left, std::chrono::milliseconds(1), std::chrono::milliseconds(50));
  }

  const EndOptions& options_;
  Find find_;
  Monotonic::time_point kill_at_;
  Monotonic::time_point give_up_at_;
  std::set<Identity> seen_;
  bool killing_ = false;
  bool newcomers_ = false;
};

// Takes out what has ended, `except` and helpers, and what descends from those. Parents stand before children.
std::vector<Process> endable(const std::vector<Process>& processes, const std::vector<pid_t>& except) {
  std::set<pid_t> spared(except.begin(), except.end());
  // Asked after the search: whatever that found and is held was entered before.
  for (const auto& [pid, role] : held_children())
    if (role == Role::helper) spared.insert(pid);
  std::vector<Process> kept;
  for (const Process& process : processes) {
    if (spared.contains(process.parent)) spared.insert(process.pid);
    if (!process.ended && !spared.contains(process.pid)) kept.push_back(process);
  }
  return kept;
}

// Looks for the members of a group again and again, remembering who belonged to it: once the leader has gone, those tell the group.
class GroupSearch {
 public:
  GroupSearch(const GroupIdentity& identity, const std::vector<pid_t>& except)
      : identity_(identity), spared_(except.begin(), except.end()) {
    spared_.insert(::getpid());
    if (identity.leader > 1) known_.insert({identity.leader, identity.leader_start_time});
  }

  std::vector<Process> find() {
    const std::vector<Process> all = all_processes();
    std::set<pid_t> members;
    bool group_is_certain = false;
    for (const Process& process : all) {
      const bool known = known_.contains(identity_of(process));
      // Even one that has ended keeps the number of its group from being given to another.
      group_is_certain |= known && process.group == identity_.leader;
      if (known || carries_environment(process)) members.insert(process.pid);
    }
    if (group_is_certain)
      for (const Process& process : all)
        if (process.group == identity_.leader) members.insert(process.pid);
    for (const pid_t pid : spared_) members.erase(pid);
    while (grow(all, members)) {
    }
    std::vector<Process> living;
    for (const Process& process : all) {
      if (!members.contains(process.pid)) continue;
      known_.insert(identity_of(process));
      if (!process.ended) living.push_back(process);
    }
    return living;
  }

 private:
  bool grow(const std::vector<Process>& all, std::set<pid_t>& members) const {
    bool grown = false;
    for (const Process& process : all) {
      if (spared_.contains(process.pid)) continue;
      if (members.contains(process.parent) || members.contains(process.session))
        grown |= members.insert(process.pid).second;
    }
    return grown;
  }

  bool carries_environment(const Process& process) const {
    if (identity_.environment.empty() || process.ended) return false;
    const std::string held = concat('\0', read_proc(concat("/proc/", process.pid, "/environ")));
    return std::all_of(identity_.environment.begin(), identity_.environment.end(), [&](const std::string& entry) {
      return held.find(concat('\0', entry, '\0')) != std::string::npos;
    });
  }

  const GroupIdentity& identity_;
  std::set<pid_t> spared_;
  std::set<Identity> known_;
};

}  // namespace

std::optional<Process> find_process(pid_t pid) {
  const std::string text = read_proc(concat("/proc/", pid, "/stat"));
  // "PID (NAME) STATE PARENT …": the name may hold spaces, newlines and parentheses, nothing after it does.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 4 > text.size()) return std::nullopt;
  const char state = text[name_end + 2];
  const auto fields = numbers_of<long long>(std::string_view(text).substr(name_end + 3));  // from field 4 on
  if (fields.size() < 19) return std::nullopt;
  const long long threads = fields[16];
  // A leader that left its other threads running (pthread_exit in main) is shown as a zombie, too.
  const bool ended = (state == 'Z' && threads <= 1) || state == 'X' || state == 'x';
  return Process{pid,
                 static_cast<pid_t>(fields[0]),
                 static_cast<pid_t>(fields[1]),
                 static_cast<pid_t>(fields[2]),
                 static_cast<std::uint64_t>(fields[18]),
                 ended};
}

std::optional<std::uint64_t> start_time_of(pid_t pid) {
  const auto process = find_process(pid);
  if (!process) return std::nullopt;
  return process->start_time;
}

bool process_is(pid_t pid, std::uint64_t start_time) {
  const auto process = find_process(pid);
  return process && process->start_time == start_time && !process->ended;
}

bool signal_process(pid_t pid, std::uint64_t start_time, int signal) {
  Process process;
  process.pid = pid;
  process.start_time = start_time;
  return pid > 0 && send(process, signal) == Sent::yes;
}

Result<void> become_subreaper() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return system_error("adopt", "orphaned processes", errno);
  return {};
}

std::vector<Process> descendants() {
  const pid_t self = ::getpid();
  return listed_children(self) ? listed_descendants(self) : scanned_descendants(self);
}

std::size_t reap_orphans() {
  const pid_t self = ::getpid();
  std::vector<pid_t> children;
  if (auto listed = listed_children(self)) {
    children = std::move(*listed);
  } else {
    for (const Process& process : all_processes())
      if (process.parent == self) children.push_back(process.pid);
  }
  const auto held = held_children();  // after the search, see endable()
  std::size_t reaped = 0;
  for (const pid_t pid : children)
    if (!held.contains(pid) && ::waitpid(pid, nullptr, WNOHANG) > 0) ++reaped;
  return reaped;
}

std::vector<Process> end_descendants(const EndOptions& options, std::stop_token hurry) {
  const auto find = [&] {
    reap_orphans();
    std::vector<Process> living = endable(descendants(), options.except);
    if (living.empty()) living = endable(scanned_descendants(::getpid()), options.except);
    return living;
  };
  auto left = Ending(options, find).run(hurry);
  reap_orphans();
  return left;
}

std::vector<Process> end_group(const GroupIdentity& identity, const EndOptions& options, std::stop_token hurry) {
  GroupSearch search(identity, options.except);
  return Ending(options, [&] { return search.find(); }).run(hurry);
}

std::vector<Process> group_members(const GroupIdentity& identity) { return GroupSearch(identity, {}).find(); }

}  // namespace studio::os
