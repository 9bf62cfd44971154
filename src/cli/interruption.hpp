// What Ctrl-C does.
#pragma once

#include <stop_token>
#include <thread>

#include "base/result.hpp"
#include "os/fd.hpp"
#include "os/signals.hpp"

namespace studio::cli {

// From now on SIGINT, SIGTERM and SIGHUP end the program at once with k_exit_interrupted. That is right for whatever
// leaves nothing half made: reading, and writing to standard output, where a full pipe may hold us up for ever. A
// signal that was ignored (nohup) stays ignored.
void end_when_interrupted();

// While it lives, those signals request a stop instead, for work that must clean up. Must be made before other threads
// and destroyed after them, by the same thread.
class Interruption {
 public:
  static Result<Interruption> watch();
  Interruption(Interruption&&) noexcept = default;
  Interruption& operator=(Interruption&&) = delete;
  ~Interruption();

  std::stop_token token() const { return stop_.get_token(); }

 private:
  Interruption(os::SignalFd signals, os::Fd finished) : signals_(std::move(signals)), finished_(std::move(finished)) {}

  os::SignalFd signals_;
  os::Fd finished_;  // an eventfd: tells the watcher to end
  std::stop_source stop_;
  std::jthread watcher_;
};

}  // namespace studio::cli
