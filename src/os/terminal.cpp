#include "os/terminal.hpp"

#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "os/child.hpp"

namespace studio::os {

namespace {

// Blocks SIGTTOU in this thread: a background process that changes the terminal is stopped by it otherwise.
class TerminalOutputAllowed {
 public:
  TerminalOutputAllowed() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTTOU);
    ::pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~TerminalOutputAllowed() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  TerminalOutputAllowed(const TerminalOutputAllowed&) = delete;
  TerminalOutputAllowed& operator=(const TerminalOutputAllowed&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

HiddenInput::HiddenInput(int fd) : fd_(fd) {
  termios modes{};
  if (::tcgetattr(fd, &modes) != 0) return;
  before_ = modes;
  modes.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  modes.c_lflag |= ECHONL;
  ::tcsetattr(fd, TCSAFLUSH, &modes);
}

HiddenInput::~HiddenInput() {
  if (before_) ::tcsetattr(fd_, TCSAFLUSH, &*before_);
}

int terminal_width(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::optional<ControllingTerminal> ControllingTerminal::find(int fd) {
  // Of a terminal that does not control our session, tcgetsid() fails or names another one.
  if (!is_terminal(fd) || ::tcgetsid(fd) != ::getsid(0)) return std::nullopt;
  return ControllingTerminal(fd);
}

int ControllingTerminal::fd_if_foreground() const { return ::tcgetpgrp(fd_) == ::getpgrp() ? fd_ : -1; }

bool ControllingTerminal::set_foreground(pid_t group) const {
  const TerminalOutputAllowed allowed;
  return ::tcsetpgrp(fd_, group) == 0;
}

bool ControllingTerminal::give_to(pid_t group) {
  if (fd_if_foreground() < 0) return false;
  // Before the group may run: it could be waiting for a password, with the echo off.
  if (holder_ == group && modes_of_holder_) {
    const TerminalOutputAllowed allowed;
    ::tcsetattr(fd_, TCSADRAIN, &*modes_of_holder_);
  }
  holder_ = group;
  return set_foreground(group);
}

void ControllingTerminal::take_back() {
  if (holder_ == 0 || ::tcgetpgrp(fd_) != holder_) return;
  termios modes{};
  if (::tcgetattr(fd_, &modes) == 0) modes_of_holder_ = modes;
  set_foreground(::getpgrp());
}

std::optional<int> stop_signal_of(const Child& child) {
  siginfo_t info{};
  // Without WEXITED: an end is left for the Child to see.
  if (::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WSTOPPED | WNOHANG) != 0 || info.si_pid == 0)
    return std::nullopt;
  return info.si_status;
}

void stop_our_group() {
  sigset_t stop;
  sigset_t before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  struct sigaction by_default {};
  struct sigaction action_before {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(SIGTSTP, &by_default, &action_before);
  // First, so that no SignalFd gets it.
  ::pthread_sigmask(SIG_UNBLOCK, &stop, &before);
  // SIGTSTP, not SIGSTOP: the kernel drops it for a group that nobody would continue.
  ::kill(0, SIGTSTP);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::sigaction(SIGTSTP, &action_before, nullptr);
}

}  // namespace studio::os
