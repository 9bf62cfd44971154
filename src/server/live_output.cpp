#include "server/live_output.hpp"

#include <fcntl.h>

#include <algorithm>
#include <condition_variable>

#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::server {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t k_piece = 64 << 10;    // bytes of the file in one event
constexpr std::size_t k_enough = 256 << 10;  // that a viewer has not taken yet
constexpr auto k_silence = 15s;              // after which a line shows that the connection lives
constexpr auto k_ask_again = 500ms;

}  // namespace

std::size_t whole_characters(std::string_view bytes) {
  // A character takes four bytes at most, of which all but the first begin with the bits 10.
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xc0u) == 0x80u) continue;
    const bool begins_character = byte >= 0xc2u && byte <= 0xf4u;
    const std::size_t length = !begins_character ? 1 : byte >= 0xf0u ? 4 : byte >= 0xe0u ? 3 : 2;
    return length > back ? bytes.size() - back : bytes.size();
  }
  return bytes.size();
}

LiveOutput::LiveOutput(std::chrono::milliseconds interval)
    : interval_(interval), thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

Result<void> LiveOutput::add(const std::string& path, std::uint64_t offset, std::shared_ptr<net::EventStream> viewer,
                             IsLive is_live) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Source> source = sources_[path].lock();
  if (source == nullptr) {
    std::erase_if(sources_, [](const auto& entry) { return entry.second.expired(); });
    TRY_ASSIGN(os::Fd file, os::open(path, O_RDONLY | O_NONBLOCK));
    source.reset(new Source{.file = std::move(file), .is_live = std::move(is_live)});
    sources_[path] = source;
  }
  arrived_.push_back(
      {.source = std::move(source), .offset = offset, .stream = std::move(viewer), .spoke = Clock::now()});
  return {};
}

void LiveOutput::run(std::stop_token stop) {
  std::list<Viewer> viewers;
  std::mutex nobody;
  std::condition_variable_any never;
  while (!stop.stop_requested()) {
    {
      const std::lock_guard lock(mutex_);
      viewers.splice(viewers.end(), arrived_);
    }
    const auto now = Clock::now();
    std::erase_if(viewers, [&](Viewer& viewer) { return !serve(viewer, now); });
    std::unique_lock lock(nobody);
    never.wait_for(lock, stop, interval_, [] { return false; });
  }
}

bool LiveOutput::serve(Viewer& viewer, Clock::time_point now) const {
  if (!viewer.stream->is_open()) return false;
  // Asked before the file is read: what is written until the end is in it then.
  Source& source = *viewer.source;
  if (!source.ended && now - source.asked >= k_ask_again) {
    source.asked = now;
    source.ended = !source.is_live();
  }
  bool is_all = false;
  while (viewer.stream->pending() < k_enough) {
    if (send_new(viewer)) {
      viewer.spoke = now;
      continue;
    }
    is_all = true;
    break;
  }
  if (is_all && source.ended) {
    viewer.stream->send(concat("event: end\nid: ", viewer.offset, "\ndata: {}\n\n"));
    return false;
  }
  if (now - viewer.spoke >= k_silence) {
    viewer.stream->send(":\n\n");
    viewer.spoke = now;
  }
  return true;
}

// One event of what is new; false if nothing is.
bool LiveOutput::send_new(Viewer& viewer) const {
  std::string bytes(k_piece, '\0');
  const auto got = os::read_at(viewer.source->file, viewer.offset, std::as_writable_bytes(std::span(bytes)), "output");
  if (!got || *got == 0) return false;
  bytes.resize(*got);
  // The rest of a character may still come.
  const std::size_t whole = viewer.source->ended ? bytes.size() : whole_characters(bytes);
  if (whole == 0) return false;
  bytes.resize(whole);
  const nlohmann::ordered_json data{{"offset", viewer.offset}, {"text", to_utf8(bytes)}};
  viewer.offset += whole;
  viewer.stream->send(concat("event: output\nid: ", viewer.offset, "\ndata: ", data.dump(), "\n\n"));
  return true;
}

}  // namespace studio::server
