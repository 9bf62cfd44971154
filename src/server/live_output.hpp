// Files that grow, shown to many as they grow: the output of scripts that run.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"
#include "net/http_server.hpp"
#include "os/fd.hpp"
#include "server/live_streams.hpp"

namespace studio::server {

// No viewer holds a thread. Thread-safe.
class LiveOutput {
 public:
  // Whether more may still come, asked now and then from that thread.
  using IsLive = std::function<bool()>;

  // Looks every `interval`.
  explicit LiveOutput(std::chrono::milliseconds interval) : streams_(interval) {}

  // Sends the viewer what is in the file from `offset` on and what is added to it, as events "output"
  // (doc/openapi.yaml), until `is_live` says no; then an event "end". `not_found` if there is no such file.
  Result<void> add(const std::string& path, std::uint64_t offset, std::shared_ptr<net::EventStream> viewer,
                   IsLive is_live);

 private:
  // A file, for all its viewers. What is not const belongs to the thread of the streams.
  struct Source {
    const os::Fd file;
    const IsLive is_live;
    LiveStreams::Clock::time_point asked;  // when is_live was last
    bool ended = false;                    // by is_live: what is there now is all
  };

  static LiveStreams::Fed feed(Source& source, std::uint64_t& offset, net::EventStream& viewer,
                               LiveStreams::Clock::time_point now);
  static bool send_new(const Source& source, std::uint64_t& offset, net::EventStream& viewer);

  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Source>> sources_;  // by path
  LiveStreams streams_;
};

// The bytes as text, but for a character at their end that is cut off: how many bytes that takes.
std::size_t whole_characters(std::string_view bytes);

}  // namespace studio::server
