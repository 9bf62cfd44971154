// The terminal: whether there is one, and whose process group has it. A script in a process group of its own can read
// from the terminal (pdb, input()) and gets its Ctrl-C and Ctrl-Z only while its group is the terminal's foreground.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <optional>

namespace studio::os {

class Child;

bool is_terminal(int fd);

// Columns of the terminal, 80 if that is not known.
int terminal_width(int fd);

// While it lives what is typed is not shown, if `fd` is a terminal.
class HiddenInput {
 public:
  explicit HiddenInput(int fd);
  ~HiddenInput();
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;

 private:
  const int fd_;
  std::optional<termios> before_;
};

// The terminal that controls our session. To run a script with job control, given ControllingTerminal::find(0):
//  1. spawn() with foreground_terminal = terminal.fd_if_foreground(), then terminal.given_to(child.pid()).
//  2. When SIGCHLD arrives: stop_signal_of(child). After SIGTSTP, SIGTTIN or SIGTTOU: take_back(), stop_our_group(),
//     and when that returns as in 3.
//  3. When SIGCONT arrives (`fg`; also when we were started in the background): give_to(child.pid()), then SIGCONT to
//     the child's group.
//  4. When the child has ended: take_back().
// Not thread-safe. Owns nothing.
class ControllingTerminal {
 public:
  // Nothing if `fd` is not a terminal or not that of our session. `fd` is borrowed.
  static std::optional<ControllingTerminal> find(int fd);

  // The descriptor while our process group is the foreground, else -1: then the terminal is not ours to give.
  int fd_if_foreground() const;

  // Makes `group` the foreground, if we are (false if not). A group that had it before finds the terminal's modes as
  // it left them.
  bool give_to(pid_t group);
  // As give_to() when spawn() has done it already.
  void given_to(pid_t group) { holder_ = group; }
  // Makes us the foreground again, if the group that we gave the terminal to still has it: a shell may have taken it
  // meanwhile.
  void take_back();

 private:
  explicit ControllingTerminal(int fd) : fd_(fd) {}
  bool set_foreground(pid_t group) const;

  int fd_;
  pid_t holder_ = 0;                        // whom we gave it to
  std::optional<termios> modes_of_holder_;  // as they were at the last take_back()
};

// The signal that has stopped the child since the last call; nothing if it was not stopped. Neither waits nor reaps.
std::optional<int> stop_signal_of(const Child& child);

// Stops our process group, as Ctrl-Z would have if the script were part of it, and returns when we are continued.
// Returns at once when nobody could continue us (no job control above: the group is orphaned); the script must then go
// on. SIGTSTP should be blocked in all other threads, as it is with a SignalFd for it, so that it takes effect in this
// one, before the return.
void stop_our_group();

}  // namespace studio::os
