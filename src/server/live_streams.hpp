// Event streams of one kind, fed as there is something new, by one thread for all.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "net/http_server.hpp"

namespace studio::server {

// Thread-safe.
class LiveStreams {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Fed { nothing, something, all };  // all: no more will come, the stream ends
  // Sends what is new. Called by the thread.
  using Feed = std::function<Fed(net::EventStream&, Clock::time_point now)>;

  // Bytes that a peer has not taken yet: no more are sent to one of which so many wait.
  static constexpr std::size_t k_enough = 256 << 10;

  // Every `interval`, as long as there are streams: `prepare`, if given, then all feeds.
  explicit LiveStreams(std::chrono::milliseconds interval, std::function<void()> prepare = nullptr);

  void add(std::shared_ptr<net::EventStream> stream, Feed feed);

 private:
  struct Viewer {
    std::shared_ptr<net::EventStream> stream;
    Feed feed;
    Clock::time_point spoke;  // when something was last sent
  };

  void run(const std::stop_token& stop);
  // False when the viewer is done with.
  static bool serve(Viewer& viewer, Clock::time_point now);

  const std::chrono::milliseconds interval_;
  const std::function<void()> prepare_;
  std::mutex mutex_;
  std::condition_variable_any arrival_;
  std::list<Viewer> arrived_;
  std::jthread thread_;
};

}  // namespace studio::server
