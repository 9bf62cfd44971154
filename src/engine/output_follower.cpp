#include "engine/output_follower.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "os/error.hpp"

namespace studio::engine {

namespace {
// At most this much at a time: poll promises room for no more in a pipe, and a larger write would wait for a reader
// that does not read.
constexpr std::size_t k_most_at_once = PIPE_BUF;
}  // namespace

Result<std::unique_ptr<OutputFollower>> OutputFollower::start(const std::string& path, int to) {
  TRY_ASSIGN(os::Fd file, os::open(path, O_RDONLY));
  os::Fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch || ::inotify_add_watch(watch.get(), path.c_str(), IN_MODIFY) < 0)
    return os::system_error("watch", path, errno);
  os::Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return os::system_error("watch", path, errno);
  return std::unique_ptr<OutputFollower>(
      new OutputFollower(path, std::move(file), std::move(watch), std::move(wake), to));
}

OutputFollower::OutputFollower(std::string path, os::Fd file, os::Fd watch, os::Fd wake, int to)
    : path_(std::move(path)),
      file_(std::move(file)),
      watch_(std::move(watch)),
      wake_(std::move(wake)),
      to_(to),
      thread_([this] { run(); }) {}

OutputFollower::~OutputFollower() {
  if (!thread_.joinable()) return;
  abandoned_ = true;
  wake();
}

void OutputFollower::wake() { ::eventfd_write(wake_.get(), 1); }

// So that it can be woken again. The flags say why.
void OutputFollower::take_wake() {
  eventfd_t count = 0;
  ::eventfd_read(wake_.get(), &count);
}

void OutputFollower::finish(std::stop_token stop) {
  finishing_ = true;
  wake();
  const std::stop_callback abandon(stop, [this] {
    abandoned_ = true;
    wake();
  });
  thread_.join();
}

bool OutputFollower::copy() {
  std::array<std::byte, 64 * 1024> buffer;
  while (!abandoned_) {
    const auto got = os::read_some(file_, buffer, path_);
    if (!got || *got == 0) return true;
    ByteView rest = ByteView(buffer).first(*got);
    while (!rest.empty() && !abandoned_) {
      // Wait with poll: a write would block on a reader that does not read, even when we are told to give up.
      std::array<pollfd, 2> wait{
          {{.fd = to_, .events = POLLOUT, .revents = 0}, {.fd = wake_.get(), .events = POLLIN, .revents = 0}}};
      if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) return false;
      take_wake();
      if (wait[0].revents == 0) continue;
      const ssize_t put = ::write(to_, rest.data(), std::min(rest.size(), k_most_at_once));
      if (put < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (put < 0) return false;
      rest = rest.subspan(static_cast<std::size_t>(put));
    }
  }
  return true;
}

void OutputFollower::run() {
  std::array<std::byte, 4096> events;
  while (true) {
    const bool last = finishing_;
    if (!copy() || last || abandoned_) return;
    if (finishing_) continue;  // its wake may have been taken by copy()
    std::array<pollfd, 2> wait{
        {{.fd = watch_.get(), .events = POLLIN, .revents = 0}, {.fd = wake_.get(), .events = POLLIN, .revents = 0}}};
    if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) return;
    take_wake();
    while (::read(watch_.get(), events.data(), events.size()) > 0) {
    }
  }
}

}  // namespace studio::engine
