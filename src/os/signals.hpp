// Signals as something to poll for, and their names.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace studio::os {

struct ReceivedSignal {
  int number = 0;
  pid_t sender = 0;  // 0: the kernel, for instance for a key pressed at the terminal
};

// Holds back a set of signals from the whole process and hands them out one by one. Must be made before other threads
// start (they inherit the mask) and destroyed, by the same thread, after they have ended; fd() and read() are free for
// any thread. What is not read by then takes its usual effect when the mask is restored: a signal is never lost.
//
// A signal that was ignored when the program started (SIGHUP under nohup) is received all the same, because it is
// blocked. Whoever forwards signals leaves those out of the set: ignored_among().
class SignalFd {
 public:
  static Result<SignalFd> make(std::span<const int> signals);
  SignalFd(SignalFd&&) noexcept = default;
  SignalFd& operator=(SignalFd&&) = delete;
  ~SignalFd();

  // Readable (POLLIN) while a signal waits.
  int fd() const { return fd_.get(); }
  // The next one, without waiting; nothing if none waits. Equal signals that came close together are one.
  Result<std::optional<ReceivedSignal>> read();

 private:
  SignalFd(Fd fd, sigset_t blocked_here) : fd_(std::move(fd)), blocked_here_(blocked_here) {}
  Fd fd_;
  sigset_t blocked_here_;  // of the set, those that were not blocked before
};

// Of `signals`, those whose disposition is "ignore".
std::vector<int> ignored_among(std::span<const int> signals);

// "SIGTERM", "SIGRTMIN+3"; "signal 99" for what is no signal.
std::string signal_name(int number);

}  // namespace studio::os
