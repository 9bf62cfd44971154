#include "os/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/concat.hpp"
#include "os/error.hpp"

namespace studio::os {

Result<SignalFd> SignalFd::make(std::span<const int> signals) {
  sigset_t wanted;
  sigset_t before;
  sigset_t blocked_here;
  sigemptyset(&wanted);
  sigemptyset(&blocked_here);
  for (const int signal : signals)
    if (sigaddset(&wanted, signal) != 0) return system_error("watch for signal", std::to_string(signal), errno);
  if (const int number = ::pthread_sigmask(SIG_BLOCK, &wanted, &before); number != 0)
    return system_error("block", "signals", number);
  for (const int signal : signals)
    if (sigismember(&before, signal) == 0) sigaddset(&blocked_here, signal);
  Fd fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) {
    const int number = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return system_error("watch for", "signals", number);
  }
  return SignalFd(std::move(fd), blocked_here);
}

SignalFd::~SignalFd() {
  if (!fd_) return;  // moved from
  fd_.reset();
  ::pthread_sigmask(SIG_UNBLOCK, &blocked_here_, nullptr);
}

Result<std::optional<ReceivedSignal>> SignalFd::read() {
  signalfd_siginfo info{};
  ssize_t got = ::read(fd_.get(), &info, sizeof info);
  while (got < 0 && errno == EINTR) got = ::read(fd_.get(), &info, sizeof info);
  if (got < 0 && errno == EAGAIN) return std::optional<ReceivedSignal>();
  if (got != static_cast<ssize_t>(sizeof info)) return system_error("read", "signals", errno);
  const bool sent_by_process = info.ssi_code <= 0;  // SI_USER, SI_QUEUE, SI_TKILL
  return std::optional(
      ReceivedSignal{static_cast<int>(info.ssi_signo), sent_by_process ? static_cast<pid_t>(info.ssi_pid) : pid_t{0}});
}

std::vector<int> ignored_among(std::span<const int> signals) {
  std::vector<int> ignored;
  for (const int signal : signals) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) ignored.push_back(signal);
  }
  return ignored;
}

std::string signal_name(int number) {
  if (const char* abbreviation = ::sigabbrev_np(number)) return concat("SIG", abbreviation);
  if (number == SIGRTMIN) return "SIGRTMIN";
  if (number > SIGRTMIN && number <= SIGRTMAX) return concat("SIGRTMIN+", number - SIGRTMIN);
  return concat("signal ", number);
}

}  // namespace studio::os
