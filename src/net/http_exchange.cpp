#include "net/http_exchange.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "base/concat.hpp"
#include "net/http_event_stream.hpp"

namespace studio::net {

Result<std::string> Exchange::body(std::uint64_t most) {
  auto body = connection_->read_body(most);
  if (!body.error) return std::move(body.bytes);
  body_status_ = status_of(body.error);
  if (body_status_ == 413) return Error{Code::invalid, concat("the request's body is larger than ", most, " bytes")};
  if (body_status_ != 0) return Error{Code::invalid, "the request's body is no HTTP"};
  return Error{Code::cancelled, concat("the peer did not send the request's body: ", body.error.message())};
}

void Exchange::respond(HttpResponse response) {
  if (std::exchange(answered_, true)) return;
  if (body_status_ != 0 && response.status >= 400) response.status = body_status_;
  drop_bad_headers(response.headers);
  const std::string head = connection_->head_of(response, Framing::length, response.body.size());
  std::vector<asio::const_buffer> parts{asio::buffer(head)};
  if (!connection_->is_head() && !has_no_body(response.status)) parts.push_back(asio::buffer(response.body));
  const bool sent = send_in_pieces(parts).has_value();
  connection_->next(sent);
}

Result<void> Exchange::begin(HttpResponse head, std::optional<std::uint64_t> length) {
  answered_ = true;
  drop_bad_headers(head.headers);
  if (length) {
    framing_ = Framing::length;
  } else {
    framing_ = connection_->speaks_1_1() ? Framing::chunked : Framing::until_close;
  }
  left_ = length.value_or(0);
  is_begun_ = true;
  const std::string bytes = connection_->head_of(head, framing_, left_);
  const std::array parts{asio::const_buffer(bytes.data(), bytes.size())};
  return connection_->send(parts);
}

Result<void> Exchange::write(ByteView bytes) {
  if (connection_->is_head()) return {};
  while (!bytes.empty()) {
    const ByteView piece = bytes.first(std::min(bytes.size(), k_piece));
    TRY(write_piece(piece));
    bytes = bytes.subspan(piece.size());
  }
  return {};
}

void Exchange::finish() {
  if (!is_begun_) return;
  is_begun_ = false;
  bool whole = framing_ != Framing::until_close;
  if (framing_ == Framing::chunked && !connection_->is_head()) {
    static constexpr std::string_view k_last_chunk = "0\r\n\r\n";
    const std::array parts{asio::const_buffer(k_last_chunk.data(), k_last_chunk.size())};
    whole = connection_->send(parts).has_value();
  }
  if (framing_ == Framing::length && !connection_->is_head()) whole = left_ == 0;
  connection_->next(whole);
}

std::shared_ptr<EventStream> Exchange::stream(HttpResponse head) {
  answered_ = true;
  drop_bad_headers(head.headers);
  return begin_event_stream(connection_, connection_->head_of(head, Framing::until_close, 0));
}

void Exchange::conclude() {
  if (!answered_) respond({.status = 500, .headers = {{"Content-Type", "text/plain"}}, .body = "no answer\n"});
  if (is_begun_) connection_->next(false);
}

Result<void> Exchange::send_in_pieces(const std::vector<asio::const_buffer>& parts) {
  for (asio::const_buffer part : parts) {
    while (part.size() > 0) {
      const std::array piece{asio::const_buffer(part.data(), std::min(part.size(), k_piece))};
      TRY(connection_->send(piece));
      part += piece.front().size();
    }
  }
  return {};
}

Result<void> Exchange::write_piece(ByteView piece) {
  const asio::const_buffer body(piece.data(), piece.size());
  if (framing_ == Framing::chunked) {
    static constexpr std::string_view k_end = "\r\n";
    std::array<char, 2 * sizeof(std::size_t) + 3> line{};
    const int size = std::snprintf(line.data(), line.size(), "%zx\r\n", piece.size());
    const std::array parts{asio::const_buffer(line.data(), static_cast<std::size_t>(size)), body,
                           asio::const_buffer(k_end.data(), k_end.size())};
    return connection_->send(parts);
  }
  if (framing_ == Framing::length) {
    if (piece.size() > left_) return Error{Code::internal, "a response is longer than its head says"};
    left_ -= piece.size();
  }
  const std::array parts{body};
  return connection_->send(parts);
}

}  // namespace studio::net
