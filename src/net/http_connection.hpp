// One peer of the HTTP server: reads its requests, one after the other, and sends what their handlers answer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "net/http_head.hpp"
#include "net/http_server.hpp"
#include "net/stream.hpp"

namespace studio::net {

namespace http = beast::http;

// A peer that takes or sends this much within the server's patience is not given up.
constexpr std::size_t k_piece = 64 << 10;

// The status that tells a peer what is wrong with what it sent; 0 if it is gone, and nothing can be told.
unsigned status_of(error_code error);

class Connection;

// What a connection needs of its server, which outlives it.
class ConnectionOwner {
 public:
  virtual const HttpServerOptions& options() const = 0;
  virtual asio::ssl::context* tls() = 0;  // null: plain
  // Run by the one thread that moves the bytes of all connections.
  virtual asio::io_context& io() = 0;
  // Has a handler answer the request that was read. False if there is too much to do.
  virtual bool submit(std::shared_ptr<Connection> connection) = 0;
  virtual void leave(Connection* connection) = 0;

 protected:
  ~ConnectionOwner() = default;
};

// What is said to be the handler's is used by the thread of a handler, everything else by that of the connections;
// while a handler runs, the other thread does nothing but what it was asked to.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ConnectionOwner& owner, tcp::socket socket) : owner_(owner), stream_(std::move(socket), owner.tls()) {}
  ~Connection() { owner_.leave(this); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  void close();

  // The handler's.
  const HttpRequest& request() const { return request_; }
  bool is_head() const { return request_.method == "HEAD"; }
  bool speaks_1_1() const { return speaks_1_1_; }
  // The handler's: waits until the request's body is there.
  struct Body {
    error_code error;
    std::string bytes;
  };
  Body read_body(std::uint64_t most);
  // The handler's: sends all and waits until it is sent. `cancelled` if the peer is gone or takes nothing for too long.
  Result<void> send(std::span<const asio::const_buffer> parts);
  // The handler's: the answer is complete, or (not `whole`) never will be.
  void next(bool whole);
  // The handler's. Whether the connection is kept is settled with it.
  std::string head_of(const HttpResponse& response, Framing framing, std::uint64_t length);

  // For an event stream, whose end is that of the connection: all was sent.
  void end_stream();
  Stream& stream() { return stream_; }
  ConnectionOwner& owner() { return owner_; }

 private:
  static constexpr std::size_t k_most_buffered = 2 * k_piece;

  using Parser = http::request_parser<http::string_body>;
  using Done = std::function<void(error_code)>;

  // The handler's: has the other thread start an operation, and waits until that calls what it is given.
  error_code wait_for(const std::function<void(Done)>& start);

  void read();
  void have_head(error_code error);
  void invite_body(Done done);
  void read_more_body(Done done);
  // A request that cannot be read.
  void refuse(error_code error);
  void say(unsigned status, std::string text);
  void linger();
  void drain();

  ConnectionOwner& owner_;
  Stream stream_;
  beast::flat_buffer buffer_{k_most_buffered};
  std::optional<Parser> parser_;
  HttpRequest request_;
  // Bytes that may still come: of a body, before the peer's time begins anew or is up; of what is drained, at all.
  std::size_t allowance_ = 0;
  bool keep_alive_ = false;
  bool speaks_1_1_ = true;
};

}  // namespace studio::net
