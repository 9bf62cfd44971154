// One connection of the HTTP client, and what goes over it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "net/http_client.hpp"
#include "net/stream.hpp"
#include "net/url.hpp"

namespace studio::net {

// Whose bytes are moved by the thread that calls, for as long as it calls. Used by one thread at a time.
class ClientConnection {
 public:
  // `server`, `proxy` (null: none) and `tls` (null: plain) outlive it.
  ClientConnection(const Url& server, const Url* proxy, asio::ssl::context* tls, std::chrono::milliseconds patience);
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // To be called once, first.
  Result<void> connect();

  // Sends a request, of which `head` is the head, and reads the answer. If it fails, nothing else can be done with the
  // connection.
  Result<void> exchange(const std::string& head, const HttpCall& call, const AnswerSink& sink);

  // After an exchange: whether another may follow.
  bool is_reusable() const { return is_reusable_; }
  // While nothing is asked of it: whether the server has closed it, or said what nobody asked for.
  bool is_stale();
  // After an exchange that failed because the server was gone: how far it had got.
  bool was_broken_off() const { return is_broken_off_; }
  bool has_sent() const { return has_sent_; }
  bool has_answer() const { return has_answer_; }

 private:
  using Parser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;

  // Runs what was started until it has ended, or the server's time is up: then `timed_out` is its error, and nothing is
  // run any more, for it refers to what its caller holds.
  error_code wait_for(const std::optional<error_code>& outcome);
  void begin_time() { deadline_ = std::chrono::steady_clock::now() + patience_; }

  Result<std::vector<tcp::endpoint>> look_up();
  // Has the proxy hand on what comes next (CONNECT, RFC 9110, 9.3.6).
  Result<void> open_tunnel();
  Result<void> shake_hands();
  void send_more();
  void read_head();
  Result<void> read_body(const AnswerSink& sink);

  Error cannot_connect(const std::string& cause) const;
  Error handshake_error(error_code error);
  // Of the exchange.
  Error broken_off(error_code error);

  const Url& server_;
  const Url* const proxy_;
  asio::ssl::context* const tls_;
  const std::chrono::milliseconds patience_;
  asio::io_context io_{1};
  std::optional<Stream> stream_;
  std::chrono::steady_clock::time_point deadline_;
  boost::beast::flat_buffer buffer_;

  std::vector<asio::const_buffer> unsent_;  // the first ones last
  std::vector<asio::const_buffer> on_their_way_;
  std::optional<error_code> sent_;  // how sending ended
  std::optional<Parser> parser_;
  std::optional<error_code> head_read_;
  bool is_reusable_ = false;
  bool is_broken_off_ = false;
  bool has_sent_ = false;
  bool has_answer_ = false;
};

}  // namespace studio::net
