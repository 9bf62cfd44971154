// An HTTP/1.1 client (RFC 9110, 9112) for servers of Studio, stores of objects and programs behind a server of ours,
// plain or under TLS 1.2 or later, over Boost.Beast. Calls block; connections are kept and used again. Redirections are
// not followed, nothing is compressed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "net/http_message.hpp"

namespace studio::net {

struct HttpClientOptions {
  std::string base_url;                 // "https://host:port/prefix", see parse_url
  std::string certificate_authorities;  // a PEM file of what is trusted besides the system's; may be empty
  // With a server that cannot be connected to, takes less than 64 KiB or sends nothing. What it has to do for an answer
  // must take less. Looking up a name is the system's, and may take longer (resolv.conf(5)).
  std::chrono::milliseconds patience{30'000};
  std::size_t most_idle = 16;  // connections that are kept while nobody uses them; 0: each call has one of its own
};

struct HttpCall {
  std::string method = "GET";
  std::string target = "/";             // what follows the base URL: a path and a query, encoded
  Headers headers = {};                 // without Host, Connection, Content-Length and the like
  std::span<const ByteView> body = {};  // sent one after the other, as one body
  std::uint64_t most_answer = 1 << 20;  // bytes of the body of an answer that is held in memory
};

struct HttpAnswer {
  unsigned status = 0;
  Headers headers;
  Bytes body;

  std::string_view header(std::string_view name) const { return header_value(headers, name); }
};

// Takes an answer as it comes, whatever its status. An error of either ends the call, and is returned.
struct AnswerSink {
  // Comes first, without the body. `length`: of the body, in bytes, if the server tells it; to HEAD, what it would be.
  std::function<Result<void>(const HttpAnswer& head, std::optional<std::uint64_t> length)> head;
  std::function<Result<void>(ByteView)> body;
};

// Thread-safe: as many calls at a time as there are threads, each on a connection of its own.
//
// Errors: `unavailable` for what may be different at another try (no connection, no answer in time, broken off);
// `denied` if the server's certificate is not trusted, has expired or is another host's; `unsupported` if it does not
// speak HTTP, or not TLS; `exhausted` if the answer is larger than may be. An answer with any status is no error.
//
// A server may close a connection while it is idle. A request that meets this is sent once more if nothing of it was
// sent yet, or if nothing of an answer was seen and its method is idempotent (RFC 9110, 9.2.2).
class HttpClient {
 public:
  // Connects to nothing yet. `invalid` if the URL is none or the file holds no certificates. The authorities of the
  // system are those in SSL_CERT_FILE and SSL_CERT_DIR, or else where the usual distributions have them. A proxy is
  // what the environment names (http_proxy.hpp).
  static Result<std::unique_ptr<HttpClient>> open(const HttpClientOptions& options);
  virtual ~HttpClient() = default;

  // The whole answer. Its length is checked if it tells one (Content-Length, chunks); otherwise it ends with the
  // connection.
  virtual Result<HttpAnswer> request(const HttpCall& call) = 0;

  // The same, of any length, into a sink. After an error that is not its own the sink may have had a part.
  virtual Result<void> stream(const HttpCall& call, const AnswerSink& sink) = 0;
};

}  // namespace studio::net
