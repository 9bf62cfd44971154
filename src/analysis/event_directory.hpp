// The event files below a directory, read as they grow.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "analysis/event_file.hpp"

namespace studio::analysis {

// The event files at and below the directory, in the order in which they were begun, as their names say. Symlinks to
// directories are not followed.
std::vector<std::string> event_files_below(const std::string& directory);

// Used by one thread at a time.
class EventDirectory {
 public:
  static constexpr std::size_t k_most_files = 10'000;  // below it; others are passed over

  struct File {
    std::string path;
    std::string run;           // the directory of the file, from this one on, "" for this one itself
    std::uint32_t number = 0;  // in files()
    EventFileReader reader = {};
    std::uint64_t read = 0;  // bytes
  };

  explicit EventDirectory(std::string path) : path_(std::move(path)) {}

  // What is done with what is in a file, which stays where it is.
  using Visit = std::function<EventVisitor(const File&)>;
  // Hands on what was written since the last call, file by file, in the order in which the files were begun. A file
  // that cannot be read is passed over, and so is what stands behind damage.
  void read_new(const Visit& visit);

  // In the order in which they were found.
  const std::deque<File>& files() const { return files_; }

 private:
  static void read_file(File& file, const Visit& visit);

  const std::string path_;
  std::deque<File> files_;
  std::map<std::string, File*> by_path_;
};

}  // namespace studio::analysis
