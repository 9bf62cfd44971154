// Lets a user interrupt what Studio itself does before and after the script.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/result.hpp"
#include "os/fd.hpp"
#include "os/signals.hpp"

namespace studio::engine {

// Until its end, a thread of its own reads the signals; the first that asks to stop requests a stop. Others are
// dropped.
class SignalWatch {
 public:
  static Result<std::unique_ptr<SignalWatch>> start(os::SignalFd& signals);
  ~SignalWatch();

  std::stop_token token() const { return stop_.get_token(); }
  // Leaves the signals that come from now on to others. Returns the one that asked to stop, if one did.
  std::optional<int> end();

 private:
  SignalWatch(os::SignalFd& signals, os::Fd wake);
  void run();

  os::SignalFd& signals_;
  os::Fd wake_;  // eventfd
  std::stop_source stop_;
  int signal_ = 0;  // of the thread, until it is joined
  std::jthread thread_;
};

}  // namespace studio::engine
