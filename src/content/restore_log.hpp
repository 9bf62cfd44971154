// What one restore has done so far, told by all its threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/version.hpp"

namespace studio::content {

// Thread-safe.
class RestoreLog {
 public:
  void add_problem(std::string path, std::string problem);
  // The first error counts.
  void fail(const std::string& path, const Error& error);
  bool failed() const { return failed_; }
  // Once nobody adds to it: the error, or the problems in order of their paths.
  Result<std::vector<model::Problem>> take();

  std::atomic<std::uint64_t> files = 0;
  std::atomic<std::uint64_t> bytes = 0;

 private:
  std::mutex mutex_;
  std::vector<model::Problem> problems_;
  std::optional<Error> error_;
  std::atomic<bool> failed_ = false;
};

}  // namespace studio::content
