#include "engine/executor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/concat.hpp"
#include "engine/signal_watch.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"
#include "os/process_tree.hpp"

namespace studio::engine {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds k_look_interval{500};
// What a script left running when it ended by itself is given this long at most to end.
constexpr std::chrono::milliseconds k_most_grace_for_orphans{5'000};

}  // namespace

std::vector<int> signals_to_watch() {
  std::vector<int> signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, SIGCHLD};
  const std::vector<int> ignored = os::ignored_among(signals);
  std::erase_if(signals,
                [&](int signal) { return std::find(ignored.begin(), ignored.end(), signal) != ignored.end(); });
  return signals;
}

bool asks_to_stop(int signal) { return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT; }

Executor::Executor(const ExecutionSpec& spec, os::SignalFd& signals, const Reporter& report)
    : spec_(spec), signals_(signals), report_(report), terminal_(os::ControllingTerminal::find(STDIN_FILENO)) {}

Result<void> Executor::start() {
  TRY_ASSIGN(const os::Fd output, os::open(spec_.output_path, O_WRONLY | O_APPEND));
  const std::vector<int> ignorable{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP};
  const os::ChildOptions options{.argv = spec_.argv,
                                 .environment = spec_.environment,
                                 .directory = spec_.directory,
                                 .output = output.get(),
                                 .error = output.get(),
                                 .foreground_terminal = terminal_ ? terminal_->fd_if_foreground() : -1,
                                 .ignored = os::ignored_among(ignorable)};
  auto child = os::spawn(options);
  if (!child) return child.error();
  child_.emplace(std::move(*child));
  if (terminal_ && options.foreground_terminal >= 0) {
    terminal_->given_to(child_->pid());
    had_terminal_ = true;
  }
  return {};
}

int Executor::wait_ms() const {
  auto wait = k_look_interval;
  if (stopping_ && !killed_)
    wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(kill_at_ - Clock::now()));
  return static_cast<int>(std::max<std::int64_t>(wait.count(), 0));
}

Result<Execution> Executor::wait() {
  auto watched = watch();
  if (terminal_) terminal_->take_back();
  TRY(std::move(watched));
  const auto grace = killed_ ? std::chrono::milliseconds(0) : std::min(spec_.grace, k_most_grace_for_orphans);
  const auto impatience = SignalWatch::start(signals_);  // a signal now means that the user does not want to wait
  const auto left = os::end_descendants({.grace = grace}, impatience ? (*impatience)->token() : std::stop_token());
  for (const os::Process& process : left)
    report_(Severity::warning, concat("process ", process.pid, " of the script could not be ended"));
  return execution_;
}

Result<void> Executor::watch() {
  while (true) {
    std::array<pollfd, 2> polled{{{.fd = child_->pidfd(), .events = POLLIN, .revents = 0},
                                  {.fd = signals_.fd(), .events = POLLIN, .revents = 0}}};
    if (::poll(polled.data(), polled.size(), wait_ms()) < 0 && errno != EINTR)
      return os::system_error("wait for", spec_.argv.front(), errno);
    // Signals first: a request to stop that came before the script's end makes that end a stop.
    TRY(on_signals());
    TRY_ASSIGN(const auto exit, child_->try_wait());
    if (exit) {
      execution_.exit = *exit;
      // The terminal sends its Ctrl-C to the group that has it, which is the script's, not ours.
      if (!stopping_ && had_terminal_ && (exit->signal == SIGINT || exit->signal == SIGQUIT))
        execution_.stop_signal = exit->signal;
      return {};
    }
    if (execution_.stop_request == model::StopRequest::none || !killed_) on_stop_request();
    if (stopping_ && !killed_ && Clock::now() >= kill_at_) end(SIGKILL);
  }
}

Result<void> Executor::on_signals() {
  while (true) {
    TRY_ASSIGN(const auto received, signals_.read());
    if (!received) return {};
    const int signal = received->number;
    if (signal == SIGCHLD) {
      TRY(on_child_change());
    } else if (signal == SIGCONT) {
      if (terminal_) terminal_->give_to(child_->pid());
      child_->signal_group(SIGCONT);
    } else if (asks_to_stop(signal)) {
      if (!stopping_) execution_.stop_signal = signal;
      end(stopping_ ? SIGKILL : signal);
    } else {
      child_->signal_group(signal);  // SIGUSR1, SIGUSR2, SIGTSTP
    }
  }
}

// Asks the script to end, the second time without mercy.
void Executor::end(int signal) {
  child_->signal_group(signal);
  if (signal == SIGKILL) {
    killed_ = true;
  } else {
    child_->signal_group(SIGCONT);  // a stopped script could not react
  }
  if (!stopping_) kill_at_ = Clock::now() + spec_.grace;
  stopping_ = true;
}

// Job control: when Ctrl-Z has stopped the script, stop with it, as a shell expects of the job it started.
Result<void> Executor::on_child_change() {
  os::reap_orphans();
  const auto stopped = os::stop_signal_of(*child_);
  if (!stopped || !terminal_ || *stopped == SIGSTOP) return {};
  terminal_->take_back();
  os::stop_our_group();
  terminal_->give_to(child_->pid());
  child_->signal_group(SIGCONT);
  return {};
}

void Executor::on_stop_request() {
  const model::StopRequest request = spec_.stop_request();
  if (request == execution_.stop_request || request == model::StopRequest::none) return;
  execution_.stop_request = request;
  end(request == model::StopRequest::kill ? SIGKILL : SIGTERM);
}

}  // namespace studio::engine
