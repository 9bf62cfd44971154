#include "content/restore_log.hpp"

#include <algorithm>

#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::content {

void RestoreLog::add_problem(std::string path, std::string problem) {
  const std::lock_guard lock(mutex_);
  problems_.push_back({std::move(path), std::move(problem)});
}

void RestoreLog::fail(const std::string& path, const Error& error) {
  const std::lock_guard lock(mutex_);
  if (error_) return;
  error_ = error.code == Code::cancelled ? error : within(concat("cannot restore '", printable(path), "'"), error);
  failed_ = true;
}

Result<std::vector<model::Problem>> RestoreLog::take() {
  const std::lock_guard lock(mutex_);
  if (error_) return *error_;
  std::stable_sort(problems_.begin(), problems_.end(),
                   [](const model::Problem& a, const model::Problem& b) { return a.path < b.path; });
  return std::move(problems_);
}

}  // namespace studio::content
