#include "server/json_lines.hpp"

#include <utility>

#include "server/guard.hpp"

namespace studio::server {

namespace {

constexpr std::size_t k_enough = 256 << 10;

}  // namespace

Result<void> JsonLines::add(std::string_view line) {
  (text_ += line) += '\n';
  return text_.size() < k_enough ? Result<void>() : flush();
}

Result<void> JsonLines::finish() {
  TRY(flush());
  exchange_.finish();
  return {};
}

Result<void> JsonLines::flush() {
  if (!std::exchange(is_begun_, true)) {
    net::HttpResponse head{.headers = safe_headers(Access::read)};
    head.headers.emplace_back("Content-Type", "application/x-ndjson");
    head.headers.emplace_back("Cache-Control", "no-store");
    TRY(exchange_.begin(std::move(head), std::nullopt));
  }
  TRY(exchange_.write(as_bytes(text_)));
  text_.clear();
  return {};
}

}  // namespace studio::server
