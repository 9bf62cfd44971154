#include "server/live_streams.hpp"

#include <utility>

namespace studio::server {

namespace {

using namespace std::chrono_literals;

constexpr auto k_silence = 15s;  // after which a line shows that the connection lives

}  // namespace

LiveStreams::LiveStreams(std::chrono::milliseconds interval, std::function<void()> prepare)
    : interval_(interval), prepare_(std::move(prepare)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void LiveStreams::add(std::shared_ptr<net::EventStream> stream, Feed feed) {
  const std::lock_guard lock(mutex_);
  arrived_.push_back({.stream = std::move(stream), .feed = std::move(feed), .spoke = Clock::now()});
  arrival_.notify_one();
}

void LiveStreams::run(const std::stop_token& stop) {
  std::list<Viewer> viewers;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      if (viewers.empty())
        arrival_.wait(lock, stop, [this] { return !arrived_.empty(); });
      else
        arrival_.wait_for(lock, stop, interval_, [] { return false; });
      viewers.splice(viewers.end(), arrived_);
    }
    if (prepare_ && !viewers.empty()) prepare_();
    const auto now = Clock::now();
    std::erase_if(viewers, [&](Viewer& viewer) { return !serve(viewer, now); });
  }
}

bool LiveStreams::serve(Viewer& viewer, Clock::time_point now) {
  if (!viewer.stream->is_open()) return false;
  switch (viewer.feed(*viewer.stream, now)) {
    case Fed::all: return false;
    case Fed::something: viewer.spoke = now; return true;
    case Fed::nothing: break;
  }
  if (now - viewer.spoke >= k_silence) {
    viewer.stream->send(":\n\n");
    viewer.spoke = now;
  }
  return true;
}

}  // namespace studio::server
