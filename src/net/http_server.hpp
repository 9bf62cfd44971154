// An HTTP/1.1 server (RFC 9110, 9112), plain or under TLS 1.2 or later, over Boost.Beast: one thread moves the bytes of
// all connections, handlers run in others.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "net/http_message.hpp"
#include "net/url.hpp"

namespace studio::net {

struct HttpRequest {
  std::string method;
  std::string target;  // as it was sent
  Headers headers;

  std::string_view header(std::string_view name) const { return header_value(headers, name); }
};

struct HttpResponse {
  unsigned status = 200;
  Headers headers = {};  // without Content-Length and the like
  std::string body = {};
};

// A response that goes on for as long as its peer listens (text/event-stream). Thread-safe. It ends when the last copy
// of its pointer is gone.
class EventStream {
 public:
  virtual ~EventStream() = default;
  // Queues bytes; never waits. Nothing is sent to a peer that is gone.
  virtual void send(std::string bytes) = 0;
  // What was queued and is not sent yet, in bytes: whoever feeds the stream holds back while it is much.
  virtual std::size_t pending() const = 0;
  virtual bool is_open() const = 0;
};

// One request and its answer, which is exactly one of respond(), begin() or stream(). Used by the handler's thread.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  virtual const HttpRequest& request() const = 0;

  // Waits for the request's body, of at most `most` bytes, which the peer is invited to send only now (100 Continue,
  // RFC 9110, 10.1.1): whoever is to be refused by the head of the request is refused before a byte is taken. To be
  // called once, before the answer. `invalid` if it is larger, or no HTTP: an answer with an error then goes out as 413
  // or 400, whatever status it brings. `cancelled` if the peer is gone, or sends less than 64 KiB within the server's
  // patience. The connection is kept for another request only if the body was read.
  virtual Result<std::string> body(std::uint64_t most) = 0;

  virtual void respond(HttpResponse response) = 0;
  // Sends the head; write() sends the body. If its length is not known it is sent in chunks, and the peer is told at
  // the end whether it is whole.
  virtual Result<void> begin(HttpResponse head, std::optional<std::uint64_t> length) = 0;
  // Waits until the peer has taken it. `cancelled` if it is gone, or takes nothing for too long.
  virtual Result<void> write(ByteView bytes) = 0;
  // A body that was begun and is not finished ends with the connection, which tells the peer that it is not whole.
  virtual void finish() = 0;
  // Sends the head, and hands on the connection.
  virtual std::shared_ptr<EventStream> stream(HttpResponse head) = 0;
};

// Files in PEM format.
struct TlsFiles {
  std::string certificate;  // the server's own first, then those that lead to its authority
  std::string key;          // without a passphrase
};

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // of IPv4 or IPv6; "::" is every one of the machine
  std::uint16_t port = 0;             // 0: any that is free
  std::optional<TlsFiles> tls;        // HTTPS and nothing else
  std::size_t threads = 32;           // that run handlers; a download holds one
  std::size_t most_waiting = 256;     // requests that wait for one of these; more are answered with 503
  std::size_t most_connections = 4096;
  std::chrono::seconds patience{30};  // with a peer that sends or takes nothing
};

class HttpServer {
 public:
  // May be called by several threads. An exchange that was not answered when it returns is answered with 500.
  using Handler = std::function<void(HttpExchange&)>;

  // Requests are accepted from now on, and answered when run() is called. `already_exists` if the port is taken,
  // `denied`, or `invalid` if the address is none of this machine. Files of TLS are read here; an error names the file.
  static Result<std::unique_ptr<HttpServer>> listen(const HttpServerOptions& options, Handler handler);
  virtual ~HttpServer() = default;

  virtual std::uint16_t port() const = 0;
  virtual bool is_tls() const = 0;
  // Serves until a stop is requested, then ends all connections and waits for the handlers.
  virtual void run(std::stop_token stop) = 0;
};

}  // namespace studio::net
