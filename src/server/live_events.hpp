// What attempts that run on this machine write for TensorBoard, as far as it is written.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "analysis/event_content.hpp"
#include "analysis/event_directory.hpp"

namespace studio::server {

// Holds what it has read of the directories that were asked for last, so that each asking reads only what is new.
// Thread-safe.
class LiveEvents {
 public:
  using Visit = std::function<void(const std::string& run, const analysis::RunContent& content)>;
  struct Files {
    std::vector<std::string> paths;     // by the number that places name
    std::vector<std::string> problems;  // why some of them could not be read
  };

  // Visits what is in the event files below the directory now. The visit must be short: others wait for it.
  Files read(const std::string& directory, const Visit& visit);

 private:
  struct Directory {
    explicit Directory(const std::string& path) : events(path) {}
    std::mutex mutex;
    analysis::EventDirectory events;
    analysis::EventCollector collector;
  };

  std::shared_ptr<Directory> find(const std::string& path);

  std::mutex mutex_;
  std::list<std::pair<std::string, std::shared_ptr<Directory>>> directories_;  // the last asked for first
};

}  // namespace studio::server
