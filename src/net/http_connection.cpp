#include "net/http_connection.hpp"

#include <algorithm>
#include <chrono>
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
// What is still taken of a peer that was answered before it had sent all, so that it gets to read the answer.
constexpr std::size_t k_most_drained = 1 << 20;
constexpr std::chrono::seconds k_linger{2};

// What OpenSSL makes of a peer that begins with a request instead of a handshake.
bool is_plain_http(error_code error) {
  return error.category() == asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_HTTP_REQUEST;
}

}  // namespace

unsigned status_of(error_code error) {
  if (error == http::error::body_limit) return 413;
  if (error == http::error::header_limit) return 431;
  const bool is_of_http = error.category() == error_code(http::error::end_of_stream).category();
  return is_of_http && error != http::error::end_of_stream && error != http::error::partial_message ? 400 : 0;
}

void Connection::start() {
  stream_.transport().expires_after(owner_.options().patience);
  stream_.async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](error_code error) {
    if (!error) return self->read();
    if (!is_plain_http(error)) return self->close();
    self->stream_.drop_tls();
    self->say(400, "this server speaks HTTPS: use https://\n");
  });
}

void Connection::close() {
  error_code ignored;
  stream_.transport().socket().shutdown(tcp::socket::shutdown_both, ignored);
  stream_.transport().close();
}

error_code Connection::wait_for(const std::function<void(Done)>& start) {
  std::mutex mutex;
  std::condition_variable ended;
  std::optional<error_code> outcome;
  const Done done = [&](error_code error) {
    const std::lock_guard lock(mutex);
    outcome = error;
    ended.notify_one();
  };
  asio::post(owner_.io(), [&, self = shared_from_this()] { start(done); });
  std::unique_lock lock(mutex);
  ended.wait(lock, [&] { return outcome.has_value(); });
  return *outcome;
}

Result<void> Connection::send(std::span<const asio::const_buffer> parts) {
  const error_code error = wait_for([&](const Done& done) {
    stream_.transport().expires_after(owner_.options().patience);
    asio::async_write(stream_, parts, [self = shared_from_this(), done](error_code failure, std::size_t) {
      self->stream_.transport().expires_never();
      done(failure);
    });
  });
  if (error) return Error{Code::cancelled, concat("the peer is gone: ", error.message())};
  return {};
}

Connection::Body Connection::read_body(std::uint64_t most) {
  const auto length = parser_->content_length();
  if (length && *length > most) return {http::error::body_limit, {}};
  parser_->body_limit(most);
  if (!parser_->is_done()) {
    const bool is_awaited = speaks_1_1_ && equal_but_for_case(request_.header("Expect"), "100-continue");
    const error_code error = wait_for([&](const Done& done) { is_awaited ? invite_body(done) : read_more_body(done); });
    if (error) return {error, {}};
  }
  return {{}, std::move(parser_->get().body())};
}

void Connection::invite_body(Done done) {
  static constexpr std::string_view k_continue = "HTTP/1.1 100 Continue\r\n\r\n";
  stream_.transport().expires_after(owner_.options().patience);
  asio::async_write(stream_, asio::buffer(k_continue),
                    [self = shared_from_this(), done = std::move(done)](error_code error, std::size_t) {
                      if (error) return done(error);
                      self->read_more_body(done);
                    });
}

void Connection::read_more_body(Done done) {
  if (allowance_ == 0) {
    allowance_ = k_piece;
    stream_.transport().expires_after(owner_.options().patience);
    buffer_.reserve(k_piece);
  }
  http::async_read_some(stream_, buffer_, *parser_,
                        [self = shared_from_this(), done = std::move(done)](error_code error, std::size_t got) {
                          self->allowance_ -= std::min(self->allowance_, got);
                          if (!error && !self->parser_->is_done()) return self->read_more_body(done);
                          self->stream_.transport().expires_never();
                          done(error);
                        });
}

void Connection::next(bool whole) {
  asio::post(owner_.io(), [self = shared_from_this(), whole] {
    if (whole && self->keep_alive_) return self->read();
    // TLS has an end of its own.
    if (whole && (self->stream_.is_tls() || !self->parser_->is_done())) return self->linger();
    self->close();
  });
}

void Connection::end_stream() {
  if (!stream_.is_tls()) return close();
  stream_.transport().cancel();  // the stream's reading
  asio::post(owner_.io(), [self = shared_from_this()] { self->linger(); });
}

std::string Connection::head_of(const HttpResponse& response, Framing framing, std::uint64_t length) {
  // Behind a body that nobody has read no request can be found.
  keep_alive_ = keep_alive_ && framing != Framing::until_close && parser_->is_done();
  return head_text(response, framing, length, keep_alive_);
}

void Connection::read() {
  parser_.emplace();
  parser_->header_limit(k_most_head);
  parser_->body_limit(boost::none);  // set when the body is read
  allowance_ = 0;
  buffer_.shrink_to_fit();
  stream_.transport().expires_after(owner_.options().patience);
  http::async_read_header(stream_, buffer_, *parser_,
                          [self = shared_from_this()](error_code error, std::size_t) { self->have_head(error); });
}

void Connection::have_head(error_code error) {
  if (error) return refuse(error);
  stream_.transport().expires_never();
  const auto& head = parser_->get();
  speaks_1_1_ = head.version() >= 11;
  keep_alive_ = parser_->keep_alive();
  request_ = {.method = std::string(head.method_string()), .target = std::string(head.target())};
  for (const auto& field : head) request_.headers.emplace_back(field.name_string(), field.value());
  if (!owner_.submit(shared_from_this())) {
    keep_alive_ = false;
    say(503, "the server has too much to do; try again\n");
  }
}

void Connection::refuse(error_code error) {
  keep_alive_ = false;
  switch (const unsigned status = status_of(error)) {
    case 0: return close();
    case 431: return say(status, "the request's head is too large\n");
    default: return say(status, "the request is no HTTP\n");
  }
}

void Connection::say(unsigned status, std::string text) {
  HttpResponse response{
      status, {{"Content-Type", "text/plain; charset=utf-8"}, {"X-Content-Type-Options", "nosniff"}}, std::move(text)};
  auto bytes = std::make_shared<std::string>(head_of(response, Framing::length, response.body.size()) + response.body);
  stream_.transport().expires_after(owner_.options().patience);
  const auto buffer = asio::buffer(*bytes);
  asio::async_write(stream_, buffer, [self = shared_from_this(), bytes](error_code error, std::size_t) {
    error ? self->close() : self->linger();
  });
}

// To close while the peer still sends would break the connection off (RST), and with it the answer that is on its way
// (RFC 9112, 9.6).
void Connection::linger() {
  stream_.transport().expires_after(k_linger);
  stream_.async_shutdown([self = shared_from_this()](error_code) {
    self->allowance_ = k_most_drained;
    self->drain();
  });
}

void Connection::drain() {
  buffer_.clear();
  stream_.transport().async_read_some(buffer_.prepare(k_piece),
                                      [self = shared_from_this()](error_code error, std::size_t got) {
                                        self->allowance_ -= std::min(self->allowance_, got);
                                        error || self->allowance_ == 0 ? self->close() : self->drain();
                                      });
}

}  // namespace studio::net
