#include "cli/interruption.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <vector>

#include "cli/exit_code.hpp"
#include "os/error.hpp"

namespace studio::cli {

namespace {

constexpr std::array<int, 3> k_signals{SIGINT, SIGTERM, SIGHUP};

bool is_ignored(int signal) { return !os::ignored_among(std::array{signal}).empty(); }

extern "C" void end_interrupted(int) {
  // The first two characters leave a line of progress behind; harmless where there is none. Nothing can be done if this
  // fails.
  static constexpr std::string_view k_text = "\rstudio: error: interrupted\n";
  const bool on_terminal = ::isatty(STDERR_FILENO) == 1;
  const std::string_view text = k_text.substr(on_terminal ? 0 : 1);
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) ::_exit(k_exit_interrupted);
  ::_exit(k_exit_interrupted);
}

}  // namespace

void end_when_interrupted() {
  for (const int signal : k_signals) {
    if (is_ignored(signal)) continue;
    struct sigaction action {};
    action.sa_handler = end_interrupted;
    ::sigaction(signal, &action, nullptr);
  }
}

Result<Interruption> Interruption::watch() {
  std::vector<int> watched;
  for (const int signal : k_signals)
    if (!is_ignored(signal)) watched.push_back(signal);
  TRY_ASSIGN(os::SignalFd signals, os::SignalFd::make(watched));
  os::Fd finished(::eventfd(0, EFD_CLOEXEC));
  if (!finished) return os::system_error("create", "an event", errno);
  Interruption interruption(std::move(signals), std::move(finished));
  interruption.watcher_ =
      std::jthread([signal_fd = interruption.signals_.fd(), finished_fd = interruption.finished_.get(),
                    stop = interruption.stop_]() mutable {
        std::array<pollfd, 2> polled{{{signal_fd, POLLIN, 0}, {finished_fd, POLLIN, 0}}};
        while (::poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) {
        }
        if (polled[0].revents != 0) stop.request_stop();
      });
  return interruption;
}

Interruption::~Interruption() {
  if (!watcher_.joinable()) return;  // moved from
  ::eventfd_write(finished_.get(), 1);
  watcher_.join();
  // What was heard has taken its effect: it must not take another one when the signals are let through again.
  while (true) {
    const auto received = signals_.read();
    if (!received || !*received) break;
  }
}

}  // namespace studio::cli
