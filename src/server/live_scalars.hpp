// The scalars of attempts that run on this machine, as far as they are written.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "analysis/event_directory.hpp"
#include "analysis/scalar_series.hpp"

namespace studio::server {

using ScalarRuns = std::map<std::string, analysis::ScalarSeries>;  // by the directory's path, "" for the root

// Holds what it has read of the directories that were asked for last, so that each asking reads only what is new.
// Thread-safe.
class LiveScalars {
 public:
  using Wanted = std::function<bool(const std::string& run, const std::string& tag)>;

  // What is in the event files below the directory now, of what is wanted.
  ScalarRuns read(const std::string& directory, const Wanted& wanted);

 private:
  struct Directory {
    explicit Directory(const std::string& path) : events(path) {}
    std::mutex mutex;
    analysis::EventDirectory events;
    ScalarRuns runs;
    std::size_t points = 0;
  };

  std::shared_ptr<Directory> find(const std::string& path);

  std::mutex mutex_;
  std::list<std::pair<std::string, std::shared_ptr<Directory>>> directories_;  // the last asked for first
};

}  // namespace studio::server
