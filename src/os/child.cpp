#include "os/child.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <thread>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "os/error.hpp"
#include "os/exec_error.hpp"
#include "os/paths.hpp"
#include "os/pidfd.hpp"

namespace studio::os {

namespace {

// All children that a Child stands for and that are not reaped yet. The mutex also orders forks, reaping and signals:
// while it is held, no number in the map can be given to another process, and no second fork can inherit the
// descriptors of a first.
struct Registry {
  std::mutex mutex;
  std::map<pid_t, Role> roles;
};

Registry& registry() {
  static auto* const instance = new Registry;  // never destroyed: threads may outlive static objects
  return *instance;
}

// What a failed child tells its parent through the pipe.
enum class Step : int { none, streams, directory, execute };
struct Failure {
  Step step = Step::none;
  int number = 0;
};

// Everything the child needs, made before the fork: between fork and execve it must not allocate.
struct Plan {
  const char* path = nullptr;
  std::vector<char*> argv;
  std::vector<char*> environment;
  const ChildOptions* options = nullptr;
};

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

// Blocks all signals in this thread, so that none of our handlers runs in the child.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

constexpr rlim_t k_most_descriptors = rlim_t{1} << 20;

// ---- In the child, between fork and execve: only async-signal-safe calls, no allocation, no locks. ----

[[noreturn]] void give_up(int report, Step step) {
  const Failure failure{step, errno};
  while (::write(report, &failure, sizeof failure) < 0 && errno == EINTR) {
  }
  ::_exit(127);
}

void reset_signals(const std::vector<int>& ignored) {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    for (const int keep : ignored)
      if (keep == signal) action.sa_handler = SIG_IGN;
    ::sigaction(signal, &action, nullptr);  // refused for SIGKILL, SIGSTOP and those of the C library
  }
}

void join_group(const ChildOptions& options) {
  if (!options.new_group) return;
  ::setpgid(0, 0);
  // All signals are blocked, SIGTTOU too, so a background process may do this. A terminal that is gone is no reason not
  // to run.
  if (options.foreground_terminal >= 0) ::tcsetpgrp(options.foreground_terminal, ::getpid());
}

void follow_parent_to_death(const ChildOptions& options, pid_t parent) {
  if (options.parent_death_signal == 0) return;
  ::prctl(PR_SET_PDEATHSIG, options.parent_death_signal);
  if (::getppid() != parent) ::raise(options.parent_death_signal);  // it was too late: the parent is gone
}

void connect_streams(const ChildOptions& options, int report) {
  std::array<int, 3> sources{options.input, options.output, options.error};
  // First out of the way: a source may itself be one of 0, 1, 2.
  for (int& source : sources) {
    if (source < 0) continue;
    source = ::fcntl(source, F_DUPFD_CLOEXEC, 3);
    if (source < 0) give_up(report, Step::streams);
  }
  for (int target = 0; target < 3; ++target) {
    const int source = sources[static_cast<std::size_t>(target)];
    if (source >= 0 && ::dup2(source, target) < 0) give_up(report, Step::streams);
  }
}

// At once, not by execve: its own wait for a slow disk must not keep the locks and pipes that this process had.
void close_all_but(int kept) {
  const auto keep = static_cast<unsigned>(kept);
  if ((keep == 3 || ::close_range(3, keep - 1, 0) == 0) && ::close_range(keep + 1, ~0U, 0) == 0) return;
  rlimit limit{};  // before Linux 5.9
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t end = limit.rlim_cur < k_most_descriptors ? limit.rlim_cur : k_most_descriptors;
  for (int fd = 3; fd < static_cast<int>(end); ++fd)
    if (fd != kept) ::close(fd);
}

[[noreturn]] void become(const Plan& plan, pid_t parent, int report) {
  const ChildOptions& options = *plan.options;
  if (report < 3) report = ::fcntl(report, F_DUPFD_CLOEXEC, 3);
  reset_signals(options.ignored);
  join_group(options);
  connect_streams(options, report);
  close_all_but(report);
  if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) give_up(report, Step::directory);
  if (options.niceness != 0) ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + options.niceness);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  follow_parent_to_death(options, parent);
  ::execve(plan.path, plan.argv.data(), plan.environment.data());
  give_up(report, Step::execute);
}

// ---- In the parent. ----

// A parent that ignores SIGCHLD (some daemons do) hands that on to us, and then the kernel throws exit statuses away.
void keep_exit_statuses() {
  struct sigaction action {};
  if (::sigaction(SIGCHLD, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) ::signal(SIGCHLD, SIG_DFL);
}

struct Forked {
  pid_t pid = 0;
  Fd report;
};

Result<Forked> fork_child(const Plan& plan) {
  const std::string& program = plan.options->argv[0];
  const SignalsBlocked blocked;
  const std::lock_guard lock(registry().mutex);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("start", program, errno);
  Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  // Not vfork, although it is faster: Linux would count the peak memory of this process, at any time, as the child's.
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(plan, parent, write_end.get());
  if (pid < 0) return system_error("start", program, errno);
  registry().roles[pid] = plan.options->role;
  return Forked{pid, std::move(read_end)};
}

// What the child reported; Step::none if execve succeeded and closed the pipe.
Failure read_report(const Fd& report) {
  Failure failure;
  const auto got = read_some(report, std::as_writable_bytes(std::span(&failure, 1)), "pipe");
  return got && *got == sizeof failure ? failure : Failure{};
}

void reap(pid_t pid) {
  const std::lock_guard lock(registry().mutex);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  registry().roles.erase(pid);
}

Error spawn_error(const ChildOptions& options, const std::string& file, Failure failure) {
  switch (failure.step) {
    case Step::directory: return system_error("enter directory", options.directory, failure.number);
    case Step::streams: return system_error("connect the standard streams of", options.argv[0], failure.number);
    default: return exec_error(options.argv[0], file, failure.number);
  }
}

struct Program {
  std::string path;  // for execve, in the child
  std::string file;  // the same, as seen from here
};

Result<Program> find(const ChildOptions& options) {
  if (options.argv.empty() || options.argv[0].empty()) return Error{Code::invalid, "there is no program to run"};
  const std::string& name = options.argv[0];
  if (name.starts_with('/')) return Program{name, name};
  std::string directory = options.directory;
  if (!directory.starts_with('/')) {
    TRY_ASSIGN(const std::string here, current_directory());
    directory = directory.empty() ? here : concat(here, "/", directory);
  }
  // As typed: the child has entered its directory by then, and a script sees this as its $0.
  if (name.find('/') != std::string::npos) return Program{name, concat(directory, "/", name)};
  const auto search = find_variable(options.environment, "PATH");
  if (const auto path = find_program(name, search.value_or(k_default_search), directory)) return Program{*path, *path};
  return Error{Code::not_found, concat("cannot run '", printable(name), "': there is no such program in PATH")};
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

ChildExit exit_of(int status, const rusage& usage) {
  ChildExit result;
  if (WIFSIGNALED(status)) {
    result.signal = WTERMSIG(status);
    result.core_dumped = WCOREDUMP(status);
  } else {
    result.exit_code = WEXITSTATUS(status);
  }
  result.usage = {seconds_of(usage.ru_utime), seconds_of(usage.ru_stime),
                  static_cast<std::uint64_t>(usage.ru_maxrss) * 1024};
  return result;
}

// Starts the program and waits until its execve has succeeded or failed.
Result<pid_t> start(const Plan& plan, Failure& failure) {
  TRY_ASSIGN(const Forked forked, fork_child(plan));
  failure = read_report(forked.report);
  if (failure.step == Step::none) return forked.pid;
  reap(forked.pid);
  return pid_t{0};
}

// As start(), but patient with a program that is still open for writing somewhere: usually another thread wrote it just
// now, and a third one forked in between, so that a copy of the descriptor lives until that child has closed it.
Result<pid_t> start_patiently(const Plan& plan, Failure& failure) {
  for (int attempt = 0;; ++attempt) {
    TRY_ASSIGN(const pid_t pid, start(plan, failure));
    if (pid != 0 || failure.number != ETXTBSY || attempt == 10) return pid;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace

Result<Child> spawn(const ChildOptions& options) {
  TRY_ASSIGN(const Program program, find(options));
  keep_exit_statuses();
  Plan plan{program.path.c_str(), pointers(options.argv), pointers(options.environment), &options};
  Failure failure;
  TRY_ASSIGN(pid_t pid, start_patiently(plan, failure));
  std::vector<std::string> shell_argv;
  if (pid == 0 && failure.step == Step::execute && failure.number == ENOEXEC && is_plain_script(program.file)) {
    shell_argv = options.argv;
    shell_argv[0] = program.path;
    shell_argv.insert(shell_argv.begin(), "/bin/sh");
    plan.path = "/bin/sh";
    plan.argv = pointers(shell_argv);
    TRY_ASSIGN(pid, start_patiently(plan, failure));
  }
  if (pid == 0) return spawn_error(options, program.file, failure);
  // The number is ours until we reap it, so this cannot name another process.
  Fd pidfd = open_pidfd(pid);
  if (!pidfd) {
    const int number = errno;
    ::kill(pid, SIGKILL);
    reap(pid);
    return system_error("watch", options.argv[0], number);
  }
  return Child(pid, std::move(pidfd), options.new_group);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      pidfd_(std::move(other.pidfd_)),
      leads_group_(other.leads_group_),
      exit_(other.exit_) {}

Child::~Child() {
  if (pid_ == 0 || exit_) return;
  const std::lock_guard lock(registry().mutex);
  registry().roles.erase(pid_);
}

Result<ChildExit> Child::wait() {
  while (true) {
    TRY_ASSIGN(const auto exit, try_wait());
    if (exit) return *exit;
    // Not wait4() itself, which reaps: that must be done under the registry's lock, and the lock cannot be held while
    // the child runs.
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno != EINTR)
      return system_error("wait for", concat("process ", pid_), errno);
  }
}

Result<std::optional<ChildExit>> Child::try_wait() {
  if (exit_) return exit_;
  int status = 0;
  rusage usage{};
  const std::lock_guard lock(registry().mutex);
  pid_t got = ::wait4(pid_, &status, WNOHANG, &usage);
  while (got < 0 && errno == EINTR) got = ::wait4(pid_, &status, WNOHANG, &usage);
  if (got < 0) return system_error("wait for", concat("process ", pid_), errno);
  if (got == 0) return std::optional<ChildExit>();
  registry().roles.erase(pid_);
  exit_ = exit_of(status, usage);
  return exit_;
}

bool Child::signal_group(int signal) const {
  const std::lock_guard lock(registry().mutex);
  if (pid_ == 0 || exit_) return false;
  return ::kill(leads_group_ ? -pid_ : pid_, signal) == 0;
}

std::map<pid_t, Role> held_children() {
  const std::lock_guard lock(registry().mutex);
  return registry().roles;
}

std::vector<std::string> own_environment() {
  std::vector<std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) variables.emplace_back(*entry);
  return variables;
}

namespace {
bool names(std::string_view entry, std::string_view name) {
  return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
}
}  // namespace

std::optional<std::string_view> find_variable(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string_view entry : environment)
    if (names(entry, name)) return entry.substr(name.size() + 1);
  return std::nullopt;
}

void set_variable(std::vector<std::string>& environment, std::string_view name, std::string_view value) {
  std::string added = concat(name, "=", value);
  for (std::string& entry : environment) {
    if (!names(entry, name)) continue;
    entry = std::move(added);
    return;
  }
  environment.push_back(std::move(added));
}

}  // namespace studio::os
