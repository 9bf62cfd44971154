#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "os/child.hpp"
#include "os/error.hpp"

namespace studio::os {

namespace {

using Monotonic = std::chrono::steady_clock;

// Reads a program's output until it has ended, has said enough, has run out of time or is to stop.
class Reading {
 public:
  Reading(const ProgramOptions& options, Child& child, Fd output, Fd wake)
      : options_(options),
        child_(child),
        output_(std::move(output)),
        wake_(std::move(wake)),
        deadline_(Monotonic::now() + options.timeout) {}

  Result<void> run(const std::stop_token& stop) {
    while (true) {
      if (stop.stop_requested()) return Error{Code::cancelled, concat("'", name(), "' was cancelled")};
      std::array<pollfd, 3> polled{pollfd{output_.get(), POLLIN, 0}, pollfd{child_.pidfd(), POLLIN, 0},
                                   pollfd{wake_.get(), POLLIN, 0}};
      const int ready = ::poll(polled.data(), polled.size(), remaining());
      if (ready < 0 && errno != EINTR) return system_error("read the output of", options_.argv[0], errno);
      if (ready < 0) continue;
      if (ready == 0 && remaining() == 0)
        return Error{Code::unavailable, concat("'", name(), "' did not end within ", options_.timeout.count(), " ms")};
      const bool ended = polled[1].revents != 0;
      if (polled[0].revents != 0) {
        TRY(take());
      } else if (ended) {
        return {};  // what it wrote is read; a process it left behind may hold the pipe open for ever
      }
      if (truncated_) return {};
    }
  }

  std::string text() && { return std::move(text_); }
  bool truncated() const { return truncated_; }

 private:
  std::string name() const { return printable(options_.argv[0]); }

  int remaining() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Monotonic::now()).count();
    return static_cast<int>(std::clamp<decltype(left)>(left, 0, 1'000'000'000));
  }

  Result<void> take() {
    std::array<std::byte, 65536> buffer;
    TRY_ASSIGN(const std::size_t got, read_some(output_, buffer, options_.argv[0]));
    if (got == 0) output_.reset();  // poll() passes over descriptor -1
    const std::size_t kept = std::min(got, options_.most_bytes - text_.size());
    text_.append(as_text(std::span(buffer).first(kept)));
    truncated_ = kept < got;
    return {};
  }

  const ProgramOptions& options_;
  Child& child_;
  Fd output_;
  Fd wake_;
  Monotonic::time_point deadline_;
  std::string text_;
  bool truncated_ = false;
};

}  // namespace

Result<ProgramOutput> run_and_read(const ProgramOptions& options, std::stop_token stop) {
  TRY_ASSIGN(const Fd null, open("/dev/null", O_RDWR));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("make", "a pipe", errno);
  Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return system_error("make", "an event descriptor", errno);
  const int wake_number = wake.get();
  TRY_ASSIGN(Child child, spawn({.argv = options.argv,
                                 .environment = options.environment,
                                 .directory = options.directory,
                                 .input = null.get(),
                                 .output = write_end.get(),
                                 .error = null.get(),
                                 .niceness = options.niceness,
                                 .role = Role::helper}));
  write_end.reset();
  Reading reading(options, child, std::move(read_end), std::move(wake));
  const std::stop_callback wake_up(stop, [wake_number] { ::eventfd_write(wake_number, 1); });
  const auto done = reading.run(stop);
  child.signal_group(SIGKILL);  // itself or what it left behind: its number is its own until wait()
  TRY_ASSIGN(const ChildExit exit, child.wait());
  if (!done) return done.error();
  const bool truncated = reading.truncated();
  return ProgramOutput{std::move(reading).text(), truncated, exit};
}

}  // namespace studio::os
