// Sends what a run writes, as it is written, to where others look on from other machines.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "base/result.hpp"
#include "blob/live_files.hpp"
#include "engine/services.hpp"

namespace studio::engine {

struct LiveSenderOptions {
  std::string experiment;
  std::uint64_t attempt = 0;
  std::string output_path;      // sent a few dozen times a second
  std::string board_directory;  // its event files are sent every second; may be empty
  std::string resources_path;   // sent whole, every few seconds, once it is there
};

// In a thread of its own. Nobody but who looks on misses what cannot be sent: troubles are reported as details, and
// tried again while that may help.
class LiveSender {
 public:
  // Borrows `files` and `report`.
  LiveSender(blob::LiveFiles& files, const Reporter& report, LiveSenderOptions options);
  // Gives up what was not sent.
  ~LiveSender();
  LiveSender(const LiveSender&) = delete;
  LiveSender& operator=(const LiveSender&) = delete;

  // Nothing more will be written: sends the rest and ends; without the rest if `stop` is requested or it cannot be sent
  // now.
  void finish(std::stop_token stop);

 private:
  using Clock = std::chrono::steady_clock;
  struct Source {
    std::string path;
    std::string file;  // its name for those who look on
    std::uint64_t sent = 0;
    bool is_refused = false;  // too large, or of a name that is not taken: the others go on
  };

  void run(const std::stop_token& stop);
  Result<void> send_new(bool is_last, const std::stop_token& stop);
  Result<void> send_output(bool is_last, const std::stop_token& stop);
  Result<void> send_event_files(const std::stop_token& stop);
  Result<void> send_resources();
  Result<bool> send_piece(Source& source);

  blob::LiveFiles& files_;
  const Reporter& report_;
  const LiveSenderOptions options_;
  Source output_;
  std::map<std::string, Source> event_files_;  // by path
  Bytes resources_;                            // as they were sent last
  Clock::time_point event_files_next_;
  Clock::time_point resources_next_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool is_finishing_ = false;
  std::jthread thread_;
};

}  // namespace studio::engine
