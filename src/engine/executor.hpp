// Runs the script: starts it, watches it, ends it when asked to, and leaves none of its processes behind.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/services.hpp"
#include "model/experiment.hpp"
#include "os/child.hpp"
#include "os/signals.hpp"
#include "os/terminal.hpp"

namespace studio::engine {

struct Execution {
  os::ChildExit exit;
  // A user ended it: the signal that Studio got or passed on, or that the terminal sent it; or a request from another
  // command.
  std::optional<int> stop_signal;
  model::StopRequest stop_request = model::StopRequest::none;
};

struct ExecutionSpec {
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::string directory;
  std::string output_path;                  // what the script writes goes to its end; must exist
  std::chrono::milliseconds grace{10'000};  // between asking the script to end and killing it
  // What another process has asked for; looked at about twice a second.
  std::function<model::StopRequest()> stop_request;
};

// Not thread-safe: one execution at a time, from one thread. Needs os::become_subreaper().
class Executor {
 public:
  // Borrows `signals`, which must hold signals_to_watch().
  Executor(const ExecutionSpec& spec, os::SignalFd& signals, const Reporter& report);

  // The script has begun to run when this returns without error.
  Result<void> start();
  pid_t pid() const { return child_->pid(); }
  // Until the script has ended, and everything that it started.
  Result<Execution> wait();

 private:
  Result<void> watch();
  Result<void> on_signals();
  Result<void> on_child_change();
  void on_stop_request();
  void end(int signal);
  int wait_ms() const;

  const ExecutionSpec& spec_;
  os::SignalFd& signals_;
  const Reporter& report_;
  std::optional<os::ControllingTerminal> terminal_;
  std::optional<os::Child> child_;
  bool had_terminal_ = false;
  Execution execution_;
  bool stopping_ = false;
  bool killed_ = false;
  std::chrono::steady_clock::time_point kill_at_{};
};

// Those that a run forwards, and those for job control. Signals that were ignored when Studio started (nohup) stay so.
std::vector<int> signals_to_watch();
// SIGINT, SIGTERM, SIGHUP, SIGQUIT
bool asks_to_stop(int signal);

}  // namespace studio::engine
