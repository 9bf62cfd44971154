// One peer of the HTTP server: reads its requests, one after the other, and sends what their handlers answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "net/http_head.hpp"
#include "net/http_server.hpp"

namespace studio::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

class Connection;

// What a connection needs of its server, which outlives it.
class ConnectionOwner {
 public:
  virtual const HttpServerOptions& options() const = 0;
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
  Connection(ConnectionOwner& owner, tcp::socket socket) : owner_(owner), stream_(std::move(socket)) {}
  ~Connection() { owner_.leave(this); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start() { read(); }
  void close();

  // The handler's.
  const HttpRequest& request() const { return request_; }
  bool is_head() const { return request_.method == "HEAD"; }
  bool speaks_1_1() const { return speaks_1_1_; }
  // The handler's: sends all and waits until it is sent. `cancelled` if the peer is gone or takes nothing for too long.
  Result<void> send(std::span<const asio::const_buffer> parts);
  // The handler's: the answer is complete, or never will be.
  void next(bool keep);
  // The handler's. Whether the connection is kept is settled with it.
  std::string head_of(const HttpResponse& response, Framing framing, std::uint64_t length);

  // For an event stream.
  beast::tcp_stream& stream() { return stream_; }
  ConnectionOwner& owner() { return owner_; }

 private:
  using Parser = http::request_parser<http::string_body>;

  void read();
  void have_head(error_code error);
  void go_on_to_body();
  void read_body();
  void have_request(error_code error);
  // A request that cannot be read.
  void refuse(error_code error);
  void say(unsigned status, std::string text);

  ConnectionOwner& owner_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  HttpRequest request_;
  bool keep_alive_ = false;
  bool speaks_1_1_ = true;
};

}  // namespace studio::net
