#include "cli/progress.hpp"

#include "base/concat.hpp"
#include "cli/format.hpp"

namespace studio::cli {

namespace {

constexpr std::chrono::milliseconds k_interval{100};
constexpr std::chrono::duration<double> k_rate_means_something{1};

}  // namespace

Progress::Progress(Messages& messages, std::string verb, std::string noun, std::optional<std::uint64_t> total_bytes)
    : messages_(messages),
      verb_(std::move(verb)),
      noun_(std::move(noun)),
      total_bytes_(total_bytes),
      start_(std::chrono::steady_clock::now()),
      shown_(start_) {}

Progress::~Progress() { messages_.erase_progress(); }

void Progress::update(std::uint64_t count, std::uint64_t bytes) {
  if (!messages_.shows_progress()) return;
  const Time now = std::chrono::steady_clock::now();
  if (now - shown_ < k_interval) return;
  shown_ = now;
  messages_.show_progress(progress_line(verb_, noun_, count, bytes, total_bytes_, now - start_));
}

std::string progress_line(std::string_view verb, std::string_view noun, std::uint64_t count, std::uint64_t bytes,
                          std::optional<std::uint64_t> total_bytes, std::chrono::duration<double> elapsed) {
  std::string line = concat(verb, ": ", noun.empty() ? "" : concat(counted(count, noun), ", "), format_size(bytes));
  if (total_bytes) line += concat(" of ", format_size(*total_bytes));
  if (elapsed < k_rate_means_something || bytes == 0) return line;
  const double rate = static_cast<double>(bytes) / elapsed.count();
  line += concat(", ", format_size(static_cast<std::uint64_t>(rate)), "/s");
  if (total_bytes && *total_bytes > bytes)
    line += concat(", ", format_seconds(static_cast<double>(*total_bytes - bytes) / rate), " left");
  return line;
}

}  // namespace studio::cli
