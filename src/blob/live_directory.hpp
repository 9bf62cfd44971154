// Live files in a directory of this machine, for who serves them.
#pragma once

#include <array>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "blob/live_files.hpp"

namespace studio::blob {

// For one process. Its directories are private to the user. Lies apart from any store: what is in it is a copy.
class LiveDirectory final : public LiveFiles {
 public:
  // Bytes that are kept of one file.
  static constexpr std::uint64_t k_most_bytes = std::uint64_t{4} << 30;

  // Nothing is created yet.
  explicit LiveDirectory(std::string root) : root_(std::move(root)) {}

  Result<std::uint64_t> append(const LiveFile& file, std::uint64_t offset, ByteView bytes) override;
  Result<void> replace(const LiveFile& file, ByteView bytes) override;

  // Where the file is if there is one.
  std::string path(const LiveFile& file) const;
  // Every attempt of which there is something.
  Result<void> list(const std::function<Result<void>(const std::string& experiment, std::uint64_t attempt)>& visit);
  // All files of the attempt. Who has one open can go on reading it.
  Result<void> remove(const std::string& experiment, std::uint64_t attempt);

 private:
  std::string directory(const std::string& experiment, std::uint64_t attempt) const;
  std::mutex& mutex_of(const std::string& path);

  const std::string root_;
  std::array<std::mutex, 64> mutexes_;  // a file's is chosen by its path: two appends must not interleave
};

}  // namespace studio::blob
