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
#include <iterator>
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

// The descendants of `root` among `all`, each after its parent.
std::vector<Process> descendants_among(const std::vector<Process>& all, pid_t root) {
  std::multimap<pid_t, const Process*> by_parent;
  for (const Process& process : all) by_parent.emplace(process.parent, &process);
  std::vector<Process> found;
  std::set<pid_t> seen{root};
  pid_t parent = root;
  for (std::size_t next = 0;; parent = found[next++].pid) {
    const auto [begin, end] = by_parent.equal_range(parent);
    for (auto entry = begin; entry != end; ++entry)
      if (seen.insert(entry->second->pid).second) found.push_back(*entry->second);
    if (next == found.size()) return found;
  }
}

// The same without looking at all processes; nothing if the kernel has no lists of children.
std::optional<std::vector<Process>> listed_descendants(pid_t root) {
  std::vector<Process> found;
  std::set<pid_t> seen{root};
  pid_t parent = root;
  for (std::size_t next = 0;; parent = found[next++].pid) {
    const auto children = listed_children(parent);
    if (!children) return std::nullopt;
    for (const pid_t pid : *children) {
      const auto child = seen.insert(pid).second ? find_process(pid) : std::nullopt;
      if (child) found.push_back(*child);
    }
    if (next == found.size()) return found;
  }
}

std::vector<pid_t> own_children() {
  const pid_t self = ::getpid();
  if (auto listed = listed_children(self)) return std::move(*listed);
  std::vector<pid_t> children;
  for (const Process& process : all_processes())
    if (process.parent == self) children.push_back(process.pid);
  return children;
}

enum class Sent { yes, gone, denied };

Sent send(const Process& process, int signal) {
  // The descriptor is opened first and the start time checked after: what had the number when it was opened still has
  // it then.
  const Fd pidfd = open_pidfd(process.pid);
  const bool no_descriptor_left = !pidfd && (errno == EMFILE || errno == ENFILE);
  if (!pidfd && !no_descriptor_left) return Sent::gone;
  if (!process_is(process.pid, process.start_time)) return Sent::gone;
  const int result = pidfd ? send_to_pidfd(pidfd, signal) : ::kill(process.pid, signal);
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

// What a search for processes to end has found.
struct Found {
  std::vector<Process> living;
  std::set<pid_t> groups;  // process groups of which every member is to be ended
  bool complete = true;    // an empty `living` means that there is none
};

// The groups that have no member but `ours`. Ended members count: until they are reaped their group keeps its number.
std::set<pid_t> whole_groups(const std::vector<Process>& all, const std::set<pid_t>& ours) {
  std::set<pid_t> groups;
  for (const Process& process : all)
    if (ours.contains(process.pid) && process.group > 1) groups.insert(process.group);  // 0: of an outer pid namespace
  for (const Process& process : all)
    if (!ours.contains(process.pid)) groups.erase(process.group);
  return groups;
}

// Ends whatever `find` finds, until it finds nothing.
class Ending {
 public:
  // With `thorough`, `groups` is asked for.
  using Find = std::function<Found(bool thorough)>;

  Ending(const EndOptions& options, Find find)
      : options_(options), find_(std::move(find)), kill_at_(Monotonic::now() + options.grace) {}

  std::vector<Process> run(const std::stop_token& hurry) {
    const Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const int wake_number = wake.get();
    const std::stop_callback wake_up(hurry, [wake_number] { ::eventfd_write(wake_number, 1); });
    while (true) {
      Found found = find_(killing_);
      if (found.living.empty() && found.complete) return {};
      const auto now = Monotonic::now();
      if (!killing_ && (now >= kill_at_ || hurry.stop_requested())) {
        killing_ = true;
        give_up_at_ = now + options_.patience;
      }
      if (killing_ && now >= give_up_at_) return found.living;
      if (!signal_all(found) && found.complete) return found.living;
      // A newcomer was forked while we looked; its own children may come next, so look again at once.
      if (killing_ && (newcomers_ || !found.complete)) continue;
      wait_for_change(found.living, killing_ ? -1 : wake_number, step(now));
    }
  }

 private:
  // False when none of them is ours to signal.
  bool signal_all(const Found& found) {
    newcomers_ = false;
    bool any = false;
    // One that forks and ends faster than we look is caught with its group: the kernel lets no fork escape a signal to
    // the group.
    if (killing_)
      for (const pid_t group : found.groups) any |= ::kill(-group, SIGKILL) == 0;
    for (const Process& process : found.living) {
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

// Takes out `except` and helpers and what descends from those. Parents stand before children.
std::vector<Process> without_spared(std::vector<Process> processes, const std::vector<pid_t>& except) {
  std::set<pid_t> spared(except.begin(), except.end());
  // Asked after the search: whatever that found and is held was entered before.
  for (const auto& [pid, role] : held_children())
    if (role == Role::helper) spared.insert(pid);
  std::erase_if(processes, [&](const Process& process) {
    if (spared.contains(process.parent)) spared.insert(process.pid);
    return spared.contains(process.pid);
  });
  return processes;
}

std::vector<Process> living_of(const std::vector<Process>& processes) {
  std::vector<Process> living;
  std::copy_if(processes.begin(), processes.end(), std::back_inserter(living),
               [](const Process& process) { return !process.ended; });
  return living;
}

std::set<pid_t> pids_of(const std::vector<Process>& processes) {
  std::set<pid_t> pids;
  for (const Process& process : processes) pids.insert(process.pid);
  return pids;
}

// Kills orphans the moment they come to us, until for some looks none has come: this catches even one that gives itself
// a new session each time it forks and ends, which is faster than any search. A child that was not reaped yet needs no
// start time: its number is still its own.
void kill_orphans_as_they_come(const std::vector<pid_t>& except) {
  std::set<pid_t> passed(except.begin(), except.end());
  int idle = 0;
  for (int looks = 0; looks < 1000 && idle < 5; ++looks) {
    const std::vector<pid_t> children = own_children();
    const auto held = held_children();  // after the search, see without_spared()
    ++idle;
    // The newest is last.
    for (auto pid = children.rbegin(); pid != children.rend(); ++pid) {
      if (held.contains(*pid) || !passed.insert(*pid).second) continue;
      ::kill(*pid, SIGKILL);
      idle = 0;
    }
  }
}

Found find_descendants(const std::vector<pid_t>& except, bool thorough) {
  const pid_t self = ::getpid();
  const std::vector<pid_t> before = own_children();
  auto listed = thorough ? std::nullopt : listed_descendants(self);
  std::vector<Process> all;
  if (!listed) all = all_processes();
  const std::vector<Process> ours = without_spared(listed ? std::move(*listed) : descendants_among(all, self), except);
  Found found;
  found.living = living_of(ours);
  if (thorough) found.groups = whole_groups(all, pids_of(ours));
  // A process hands its children over to us before it shows as ended. So if all our children had ended when we looked,
  // and none has come since, there is nothing more to come.
  const std::set<pid_t> known(before.begin(), before.end());
  const std::vector<pid_t> after = own_children();
  found.complete = std::all_of(after.begin(), after.end(), [&](pid_t pid) { return known.contains(pid); });
  return found;
}

// Looks for the members of a group again and again, remembering who belonged to it: once the leader has gone, those
// tell the group.
class GroupSearch {
 public:
  GroupSearch(const GroupIdentity& identity, const std::vector<pid_t>& except)
      : identity_(identity), spared_(except.begin(), except.end()) {
    spared_.insert(::getpid());
    if (identity.leader > 1) known_.insert({identity.leader, identity.leader_start_time});
  }

  Found find() {
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
    Found found;
    for (const Process& process : all) {
      if (!members.contains(process.pid)) continue;
      known_.insert(identity_of(process));
      if (!process.ended) found.living.push_back(process);
    }
    found.groups = whole_groups(all, members);
    return found;
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
  static const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const long long pages = fields.size() > 20 ? std::max(fields[20], 0LL) : 0;
  return Process{pid,
                 static_cast<pid_t>(fields[0]),
                 static_cast<pid_t>(fields[1]),
                 static_cast<pid_t>(fields[2]),
                 static_cast<std::uint64_t>(fields[18]),
                 ended,
                 static_cast<double>(fields[10] + fields[11] + fields[12] + fields[13]) / ticks,
                 static_cast<std::uint64_t>(pages) * page};
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

Result<void> become_subreaper() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return system_error("adopt", "orphaned processes", errno);
  return {};
}

std::size_t reap_orphans() {
  const std::vector<pid_t> children = own_children();
  const auto held = held_children();  // after the search, see without_spared()
  std::size_t reaped = 0;
  for (const pid_t pid : children)
    if (!held.contains(pid) && ::waitpid(pid, nullptr, WNOHANG) > 0) ++reaped;
  return reaped;
}

ProcessUsage usage_of_descendants() {
  const pid_t self = ::getpid();
  auto listed = listed_descendants(self);
  ProcessUsage usage;
  for (const Process& process :
       without_spared(listed ? std::move(*listed) : descendants_among(all_processes(), self), {})) {
    usage.cpu_seconds += process.cpu_seconds;
    usage.memory_bytes += process.memory_bytes;
  }
  return usage;
}

std::vector<Process> end_descendants(const EndOptions& options, std::stop_token hurry) {
  const auto find = [&](bool thorough) {
    if (thorough) kill_orphans_as_they_come(options.except);
    reap_orphans();
    return find_descendants(options.except, thorough);
  };
  auto left = Ending(options, find).run(hurry);
  reap_orphans();
  return left;
}

std::vector<Process> end_group(const GroupIdentity& identity, const EndOptions& options, std::stop_token hurry) {
  GroupSearch search(identity, options.except);
  return Ending(options, [&](bool) { return search.find(); }).run(hurry);
}

std::vector<Process> group_members(const GroupIdentity& identity) { return GroupSearch(identity, {}).find().living; }

}  // namespace studio::os
