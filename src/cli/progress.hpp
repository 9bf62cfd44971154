// How far a long command is, on the terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/messages.hpp"

namespace studio::cli {

// One line, rewritten at most ten times a second and erased at the end. Costs a comparison per call where nothing is
// shown. Not thread-safe.
class Progress {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `noun` is what is counted ("file"; empty: only bytes are); `total_bytes` is known or not.
  Progress(Messages& messages, std::string verb, std::string noun, std::optional<std::uint64_t> total_bytes);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::uint64_t count, std::uint64_t bytes);

 private:
  Messages& messages_;
  const std::string verb_;
  const std::string noun_;
  const std::optional<std::uint64_t> total_bytes_;
  const Time start_;
  Time shown_;
};

// "restoring: 12 files, 3.4 MiB of 10.0 MiB, 1.1 MiB/s, 6s left"
std::string progress_line(std::string_view verb, std::string_view noun, std::uint64_t count, std::uint64_t bytes,
                          std::optional<std::uint64_t> total_bytes, std::chrono::duration<double> elapsed);

}  // namespace studio::cli
