// Files that grow, shown to many as they grow: the output of scripts that run.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/result.hpp"
#include "net/http_server.hpp"
#include "os/fd.hpp"

namespace studio::server {

// One thread looks at all files, however many viewers there are; none of these holds a thread. Thread-safe.
class LiveOutput {
 public:
  // Whether more may still come, asked now and then from that thread.
  using IsLive = std::function<bool()>;

  // Looks every `interval`.
  explicit LiveOutput(std::chrono::milliseconds interval);

  // Sends the viewer what is in the file from `offset` on and what is added to it, as events "output"
  // (doc/openapi.yaml), until `is_live` says no; then an event "end". `not_found` if there is no such file.
  Result<void> add(const std::string& path, std::uint64_t offset, std::shared_ptr<net::EventStream> viewer,
                   IsLive is_live);

 private:
  using Clock = std::chrono::steady_clock;
  // A file, for all its viewers. What is not const belongs to the thread.
  struct Source {
    const os::Fd file;
    const IsLive is_live;
    Clock::time_point asked;  // when is_live was last
    bool ended = false;       // by is_live: what is there now is all
  };
  struct Viewer {
    std::shared_ptr<Source> source;
    std::uint64_t offset = 0;  // of the next byte
    std::shared_ptr<net::EventStream> stream;
    Clock::time_point spoke;  // when something was last sent
  };

  void run(std::stop_token stop);
  // False when the viewer is done with.
  bool serve(Viewer& viewer, Clock::time_point now) const;
  bool send_new(Viewer& viewer) const;

  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::list<Viewer> arrived_;
  std::map<std::string, std::weak_ptr<Source>> sources_;  // by path
  std::jthread thread_;
};

// The bytes as text, but for a character at their end that is cut off: how many bytes that takes.
std::size_t whole_characters(std::string_view bytes);

}  // namespace studio::server
