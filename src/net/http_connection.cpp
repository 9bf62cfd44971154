#include "net/http_connection.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>

#include "base/concat.hpp"
#include "base/letters.hpp"

namespace studio::net {

namespace {

constexpr std::uint32_t k_most_head = 32 << 10;

}  // namespace

void Connection::close() {
  error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
  stream_.close();
}

Result<void> Connection::send(std::span<const asio::const_buffer> parts) {
  std::mutex mutex;
  std::condition_variable sent;
  std::optional<error_code> outcome;
  const auto finished = [&](error_code error) {
    const std::lock_guard lock(mutex);
    outcome = error;
    sent.notify_one();
  };
  asio::post(owner_.io(), [&, self = shared_from_this()] {
    stream_.expires_after(owner_.options().patience);
    asio::async_write(stream_, parts, [self, &finished](error_code error, std::size_t) {
      self->stream_.expires_never();
      finished(error);
    });
  });
  std::unique_lock lock(mutex);
  sent.wait(lock, [&] { return outcome.has_value(); });
  if (*outcome) return Error{Code::cancelled, concat("the peer is gone: ", outcome->message())};
  return {};
}

void Connection::next(bool keep) {
  asio::post(owner_.io(), [self = shared_from_this(), keep] {
    if (keep && self->keep_alive_) {
      self->read();
    } else {
      self->close();
    }
  });
}

std::string Connection::head_of(const HttpResponse& response, Framing framing, std::uint64_t length) {
  keep_alive_ = keep_alive_ && framing != Framing::until_close;
  return head_text(response, framing, length, keep_alive_);
}

void Connection::read() {
  parser_.emplace();
  parser_->header_limit(k_most_head);
  parser_->body_limit(owner_.options().most_body);
  stream_.expires_after(owner_.options().patience);
  http::async_read_header(stream_, buffer_, *parser_,
                          [self = shared_from_this()](error_code error, std::size_t) { self->have_head(error); });
}

void Connection::have_head(error_code error) {
  if (error) return refuse(error);
  speaks_1_1_ = parser_->get().version() >= 11;
  keep_alive_ = parser_->keep_alive();
  if (!parser_->is_done() && equal_but_for_case(parser_->get()[http::field::expect], "100-continue"))
    return go_on_to_body();
  read_body();
}

void Connection::go_on_to_body() {
  static constexpr std::string_view k_continue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(stream_, asio::buffer(k_continue), [self = shared_from_this()](error_code error, std::size_t) {
    if (error) return self->close();
    self->read_body();
  });
}

void Connection::read_body() {
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](error_code error, std::size_t) { self->have_request(error); });
}

void Connection::have_request(error_code error) {
  if (error) return refuse(error);
  stream_.expires_never();
  auto message = parser_->release();
  parser_.reset();
  request_ = {};
  request_.method = std::string(message.method_string());
  request_.target = std::string(message.target());
  for (const auto& field : message) request_.headers.emplace_back(field.name_string(), field.value());
  request_.body = std::move(message.body());
  if (!owner_.submit(shared_from_this())) {
    keep_alive_ = false;
    say(503, "the server has too much to do; try again\n");
  }
}

void Connection::refuse(error_code error) {
  keep_alive_ = false;
  if (error == http::error::body_limit) return say(413, "the request's body is too large\n");
  if (error == http::error::header_limit) return say(431, "the request's head is too large\n");
  const bool is_of_http = error.category() == error_code(http::error::end_of_stream).category();
  if (is_of_http && error != http::error::end_of_stream && error != http::error::partial_message)
    return say(400, "the request is no HTTP\n");
  close();
}

void Connection::say(unsigned status, std::string text) {
  HttpResponse response{
      status, {{"Content-Type", "text/plain; charset=utf-8"}, {"X-Content-Type-Options", "nosniff"}}, std::move(text)};
  auto bytes = std::make_shared<std::string>(head_of(response, Framing::length, response.body.size()) + response.body);
  stream_.expires_after(owner_.options().patience);
  const auto buffer = asio::buffer(*bytes);
  asio::async_write(stream_, buffer, [self = shared_from_this(), bytes](error_code, std::size_t) { self->close(); });
}

}  // namespace studio::net
