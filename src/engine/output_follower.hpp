// Shows a growing file as it grows: `tail -f` onto a descriptor.
#pragma once

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace studio::engine {

// Copies what is and what will be in `path` to the descriptor `to` (borrowed), in a thread of its own. When `to` no
// longer takes anything (its reader has gone), it stops: the file is what counts.
class OutputFollower {
 public:
  static Result<std::unique_ptr<OutputFollower>> start(const std::string& path, int to);
  // Gives up without copying the rest.
  ~OutputFollower();

  // Nothing more will be written to the file: copies the rest and ends; without the rest if `stop` is requested.
  void finish(std::stop_token stop);

 private:
  OutputFollower(std::string path, os::Fd file, os::Fd watch, os::Fd wake, int to);
  void run();
  bool copy();  // false: the reader has gone
  void wake();
  void take_wake();

  std::string path_;
  os::Fd file_;
  os::Fd watch_;  // inotify
  os::Fd wake_;   // eventfd
  int to_;
  std::atomic<bool> finishing_ = false;
  std::atomic<bool> abandoned_ = false;
  std::jthread thread_;
};

}  // namespace studio::engine
