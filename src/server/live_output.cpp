#include "server/live_output.hpp"

#include <fcntl.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/display.hpp"
#include "server/answer.hpp"

namespace studio::server {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t k_piece = 64 << 10;  // bytes of the file in one event
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

Result<void> LiveOutput::add(const std::string& path, std::uint64_t offset, std::shared_ptr<net::EventStream> viewer,
                             IsLive is_live) {
  std::shared_ptr<Source> source;
  {
    const std::lock_guard lock(mutex_);
    source = sources_[path].lock();
    if (source == nullptr) {
      std::erase_if(sources_, [](const auto& entry) { return entry.second.expired(); });
      TRY_ASSIGN(os::Fd file, os::open(path, O_RDONLY | O_NONBLOCK));
      source.reset(new Source{.file = std::move(file), .is_live = std::move(is_live), .asked = {}});
      sources_[path] = source;
    }
  }
  streams_.add(std::move(viewer),
               [source, offset](net::EventStream& stream, LiveStreams::Clock::time_point now) mutable {
                 return feed(*source, offset, stream, now);
               });
  return {};
}

LiveStreams::Fed LiveOutput::feed(Source& source, std::uint64_t& offset, net::EventStream& viewer,
                                  LiveStreams::Clock::time_point now) {
  // Asked before the file is read: what is written until the end is in it then.
  if (!source.ended && now - source.asked >= k_ask_again) {
    source.asked = now;
    source.ended = !source.is_live();
  }
  auto fed = LiveStreams::Fed::nothing;
  while (viewer.pending() < LiveStreams::k_enough) {
    if (!send_new(source, offset, viewer)) {
      if (!source.ended) return fed;
      viewer.send(event_text("end", offset, nlohmann::ordered_json::object()));
      return LiveStreams::Fed::all;
    }
    fed = LiveStreams::Fed::something;
  }
  return fed;
}

// One event of what is new; false if nothing is.
bool LiveOutput::send_new(const Source& source, std::uint64_t& offset, net::EventStream& viewer) {
  std::string bytes(k_piece, '\0');
  const auto got = os::read_at(source.file, offset, std::as_writable_bytes(std::span(bytes)), "output");
  if (!got || *got == 0) return false;
  bytes.resize(*got);
  // The rest of a character may still come.
  const std::size_t whole = source.ended ? bytes.size() : whole_characters(bytes);
  if (whole == 0) return false;
  bytes.resize(whole);
  const nlohmann::ordered_json data{{"offset", offset}, {"text", to_utf8(bytes)}};
  offset += whole;
  viewer.send(event_text("output", offset, data));
  return true;
}

}  // namespace studio::server
