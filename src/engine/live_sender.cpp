#include "engine/live_sender.hpp"

#include <fcntl.h>

#include <algorithm>
#include <span>
#include <utility>

#include "analysis/event_directory.hpp"
#include "base/concat.hpp"
#include "os/fd.hpp"

namespace studio::engine {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t k_piece = 1 << 20;
// A line shall be seen within 200 ms: the server looks for what is new every 50.
constexpr auto k_interval = 50ms;
constexpr auto k_event_files = 1s;
constexpr auto k_resources = 5s;
constexpr auto k_first_pause = 1s;
constexpr auto k_longest_pause = 30s;

}  // namespace

LiveSender::LiveSender(blob::LiveFiles& files, const Reporter& report, LiveSenderOptions options)
    : files_(files),
      report_(report),
      options_(std::move(options)),
      output_{.path = options_.output_path, .file = blob::k_live_output},
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

LiveSender::~LiveSender() = default;

void LiveSender::finish(std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    is_finishing_ = true;
  }
  wake_.notify_all();
  const std::stop_callback hurry(stop, [this] { thread_.request_stop(); });
  thread_.join();
}

void LiveSender::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  std::chrono::milliseconds pause = k_first_pause;
  while (!stop.stop_requested()) {
    const bool is_last = is_finishing_;
    lock.unlock();
    const auto sent = send_new(is_last, stop);
    lock.lock();
    if (!sent) {
      report_(Severity::detail, concat("what is written is not shown elsewhere yet: ", sent.error().message));
      if (sent.error().code != Code::unavailable) return;
    }
    if (is_last) return;
    wake_.wait_for(lock, stop, sent ? k_interval : pause, [this] { return is_finishing_; });
    pause = sent ? k_first_pause : std::min<std::chrono::milliseconds>(2 * pause, k_longest_pause);
  }
}

Result<void> LiveSender::send_new(bool is_last, const std::stop_token& stop) {
  TRY(send_output(is_last, stop));
  const auto now = Clock::now();
  if (is_last || now >= event_files_next_) {
    TRY(send_event_files(stop));
    event_files_next_ = now + k_event_files;
  }
  if (is_last || now >= resources_next_) {
    TRY(send_resources());
    resources_next_ = now + k_resources;
  }
  return {};
}

// While the script runs a piece each time, so that a flood of output leaves room for what else the network carries.
Result<void> LiveSender::send_output(bool is_last, const std::stop_token& stop) {
  bool is_more = true;
  do {
    TRY_ASSIGN(is_more, send_piece(output_));
  } while (is_more && is_last && !stop.stop_requested());
  return {};
}

Result<void> LiveSender::send_event_files(const std::stop_token& stop) {
  if (options_.board_directory.empty()) return {};
  for (const std::string& path : analysis::event_files_below(options_.board_directory)) {
    if (event_files_.size() == analysis::EventDirectory::k_most_files && !event_files_.contains(path)) continue;
    const std::string below = path.substr(options_.board_directory.size());
    Source& source =
        event_files_.try_emplace(path, Source{.path = path, .file = concat(blob::k_live_board, below)}).first->second;
    bool is_more = true;
    while (is_more && !stop.stop_requested()) {
      TRY_ASSIGN(is_more, send_piece(source));
    }
  }
  return {};
}

Result<void> LiveSender::send_resources() {
  auto text = os::read_file(options_.resources_path);
  if (!text || *text == resources_) return {};
  TRY(files_.replace({options_.experiment, options_.attempt, blob::k_live_resources}, *text));
  resources_ = *std::move(text);
  return {};
}

// Whether there may be more. A file that cannot be read now may be the next time.
Result<bool> LiveSender::send_piece(Source& source) {
  if (source.is_refused) return false;
  const auto file = os::open(source.path, O_RDONLY | O_NONBLOCK);
  if (!file) return false;
  const auto info = os::status(*file, source.path);
  if (!info || static_cast<std::uint64_t>(info->st_size) <= source.sent) return false;
  Bytes piece(std::min(k_piece, static_cast<std::uint64_t>(info->st_size) - source.sent));
  const auto got = os::read_at(*file, source.sent, piece, source.path);
  if (!got || *got == 0) return false;
  const auto size =
      files_.append({options_.experiment, options_.attempt, source.file}, source.sent, std::span(piece).first(*got));
  if (!size && (size.error().code == Code::invalid || size.error().code == Code::exhausted)) {
    source.is_refused = true;
    report_(Severity::detail, size.error().message);
    return false;
  }
  if (!size) return size.error();
  const bool has_grown = *size > source.sent;
  // Less than was sent already: the server has lost some of it.
  source.sent = *size;
  return has_grown && *got == k_piece;
}

}  // namespace studio::engine
