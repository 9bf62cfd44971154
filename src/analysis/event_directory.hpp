// The event files below a directory, read as they grow.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "analysis/event_file.hpp"

namespace studio::analysis {

// Used by one thread at a time.
class EventDirectory {
 public:
  explicit EventDirectory(std::string path) : path_(std::move(path)) {}

  // `run` is the directory of the file, from this one on, "" for this one itself.
  using Visit = std::function<void(const std::string& run, const PointHead&, double value)>;
  // Hands on the scalars that were written since the last call, file by file, in the order in which the files were
  // begun. A file that cannot be read is passed over, and so is what stands behind damage.
  void read_new(const Visit& visit);

 private:
  struct File {
    EventFileReader reader;
    std::uint64_t read = 0;  // bytes
    bool is_damaged = false;
  };

  void read_file(const std::string& path, const std::string& run, const Visit& visit);

  const std::string path_;
  std::map<std::string, File> files_;  // by path
};

}  // namespace studio::analysis
