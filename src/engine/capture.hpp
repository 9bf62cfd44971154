// Saving the artifacts of a running attempt: one by one, every interval, and at the end.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "engine/services.hpp"
#include "model/experiment.hpp"
#include "os/directory.hpp"

namespace studio::engine {

// What one capture of one artifact came to.
struct Captured {
  std::string tag;
  std::uint64_t version = 0;  // that holds the artifact as it is now
  bool is_new = false;        // false: nothing had changed
  bool complete = true;
};

// Captures the artifacts of one attempt. Each call captures one artifact; calls for one Capturer must not overlap.
class Capturer {
 public:
  // `output_path` is the file that only Studio's child appends to. `own_paths` are never captured.
  Capturer(const Services& services, std::string experiment, std::uint64_t attempt, std::string output_path,
           const std::vector<std::string>& own_paths);

  // `not_found` if the artifact's path is missing, unless this is the final capture, which finds it empty.
  Result<Captured> capture(const model::Artifact& artifact, model::CaptureReason reason, std::stop_token stop = {});

  // Sets the first and last version of each artifact to what was captured so far. Thread-safe.
  void fill_versions(std::vector<model::Artifact>& artifacts) const;

 private:
  // Its errors do not say which artifact they are about.
  Result<Captured> capture_unnamed(const model::Artifact& artifact, model::CaptureReason reason, std::stop_token stop);
  void report_once(const model::Artifact& artifact, const content::Saved& saved);

  const Services& services_;
  std::string experiment_;
  std::uint64_t attempt_;
  std::string output_path_;
  std::vector<os::FileId> left_out_;
  // Per tag: what was left out or incomplete, so that it is told once.
  std::map<std::string, std::vector<std::string>> told_;

  struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };
  mutable std::mutex mutex_;  // guards ranges_
  std::map<std::string, Range> ranges_;
};

// Captures artifacts beside the script, in one thread of its own at low priority: `at_start` of them at once, all of
// them every interval, and then calls `after_round`. A round that takes longer than the interval delays the next one;
// two never overlap.
class CaptureLoop {
 public:
  CaptureLoop(Capturer& capturer, const Reporter& report, std::vector<model::Artifact> artifacts,
              std::vector<std::string> at_start, std::chrono::milliseconds interval, std::function<void()> after_round);
  // Stops a capture that is under way and waits for the thread.
  ~CaptureLoop();

 private:
  void run(std::stop_token stop);
  void round(model::CaptureReason reason, const std::vector<std::string>* only, std::stop_token stop);

  Capturer& capturer_;
  const Reporter& report_;
  const std::vector<model::Artifact> artifacts_;
  const std::vector<std::string> at_start_;
  const std::chrono::milliseconds interval_;
  const std::function<void()> after_round_;
  std::map<std::string, std::string> last_error_;  // by tag
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace studio::engine
