#include "engine/output_follower.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "os/error.hpp"

namespace studio::engine {

namespace {
// How often a follower that is finishing looks whether it was abandoned: the eventfd is readable by then, and cannot
// wake it again.
constexpr int k_check_ms = 100;
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
  abandoned_ = true;
  finish();
}

void OutputFollower::finish() {
  if (!thread_.joinable()) return;
  finishing_ = true;
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
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
      if (::poll(wait.data(), wait.size(), finishing_ ? k_check_ms : -1) < 0 && errno != EINTR) return false;
      if (wait[0].revents == 0) continue;
      const ssize_t put = ::write(to_, rest.data(), rest.size());
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
    if (!copy() || last) return;
    std::array<pollfd, 2> wait{
        {{.fd = watch_.get(), .events = POLLIN, .revents = 0}, {.fd = wake_.get(), .events = POLLIN, .revents = 0}}};
    if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) return;
    while (::read(watch_.get(), events.data(), events.size()) > 0) {
    }
  }
}

}  // namespace studio::engine
