#include "engine/signal_watch.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>

#include "engine/executor.hpp"
#include "os/error.hpp"

namespace studio::engine {

Result<std::unique_ptr<SignalWatch>> SignalWatch::start(os::SignalFd& signals) {
  os::Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return os::system_error("create", "eventfd", errno);
  return std::unique_ptr<SignalWatch>(new SignalWatch(signals, std::move(wake)));
}

SignalWatch::SignalWatch(os::SignalFd& signals, os::Fd wake)
    : signals_(signals), wake_(std::move(wake)), thread_([this] { run(); }) {}

SignalWatch::~SignalWatch() { end(); }

std::optional<int> SignalWatch::end() {
  if (thread_.joinable()) {
    ::eventfd_write(wake_.get(), 1);
    thread_.join();
  }
  return signal_ == 0 ? std::nullopt : std::optional(signal_);
}

void SignalWatch::run() {
  while (true) {
    std::array<pollfd, 2> polled{
        {{.fd = signals_.fd(), .events = POLLIN, .revents = 0}, {.fd = wake_.get(), .events = POLLIN, .revents = 0}}};
    if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) return;
    if (polled[1].revents != 0) return;
    const auto received = signals_.read();
    if (!received) return;
    if (!*received || !asks_to_stop((*received)->number)) continue;
    signal_ = (*received)->number;
    stop_.request_stop();
  }
}

}  // namespace studio::engine
