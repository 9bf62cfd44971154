#include "net/http_client.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/concat.hpp"
#include "net/http_client_connection.hpp"
#include "net/http_proxy.hpp"
#include "net/tls.hpp"
#include "net/url.hpp"

namespace studio::net {

namespace {

bool is_idempotent(std::string_view method) {
  constexpr std::array<std::string_view, 5> k_methods{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
  return std::find(k_methods.begin(), k_methods.end(), method) != k_methods.end();
}

class Client : public HttpClient {
 public:
  Client(const HttpClientOptions& options, Url server, std::optional<Url> proxy, TlsContext tls)
      : options_(options), server_(std::move(server)), proxy_(std::move(proxy)), tls_(std::move(tls)) {}

  Result<HttpAnswer> request(const HttpCall& call) override;
  Result<void> stream(const HttpCall& call, const AnswerSink& sink) override;

 private:
  Result<std::string> head_of(const HttpCall& call) const;
  Result<void> exchange(const std::string& head, const HttpCall& call, const AnswerSink& sink);
  // One that is not stale, or nothing.
  std::unique_ptr<ClientConnection> take();
  void give_back(std::unique_ptr<ClientConnection> connection);

  const HttpClientOptions options_;
  const Url server_;
  const std::optional<Url> proxy_;
  const TlsContext tls_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ClientConnection>> idle_;  // the one used last is the last
};

Result<HttpAnswer> Client::request(const HttpCall& call) {
  HttpAnswer answer;
  const auto too_large = [&] {
    return Error{Code::exhausted,
                 concat("the answer of ", server_.authority(), " is larger than ", call.most_answer, " bytes")};
  };
  const AnswerSink sink{.head = [&](const HttpAnswer& head, std::optional<std::uint64_t> length) -> Result<void> {
                          answer = head;
                          if (call.method != "HEAD" && length && *length > call.most_answer) return too_large();
                          return {};
                        },
                        .body = [&](ByteView piece) -> Result<void> {
                          if (piece.size() > call.most_answer - answer.body.size()) return too_large();
                          answer.body.insert(answer.body.end(), piece.begin(), piece.end());
                          return {};
                        }};
  TRY(stream(call, sink));
  return answer;
}

Result<void> Client::stream(const HttpCall& call, const AnswerSink& sink) {
  TRY_ASSIGN(const std::string head, head_of(call));
  try {
    return exchange(head, call, sink);
  } catch (const std::exception& problem) {
    // No descriptor is free, or no memory.
    return Error{Code::exhausted, concat("cannot ask ", server_.authority(), ": ", problem.what())};
  }
}

Result<std::string> Client::head_of(const HttpCall& call) const {
  const auto is_word = [](std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  };
  if (!is_word(call.method) || !is_word(call.target) || !call.target.starts_with('/'))
    return Error{Code::invalid, "a request needs a method, and a target that begins with '/' and is encoded"};
  // A proxy must be told whom to ask, if not by CONNECT (RFC 9112, 3.2.2).
  const std::string whom = proxy_ && !server_.is_tls ? concat("http://", server_.authority()) : std::string();
  std::string head =
      concat(call.method, " ", whom, server_.path, call.target, " HTTP/1.1\r\nHost: ", server_.authority(), "\r\n");
  for (const auto& [name, value] : call.headers) {
    if (!is_word(name) || !is_header_text(value)) return Error{Code::invalid, "a header holds a line break"};
    head += concat(name, ": ", value, "\r\n");
  }
  std::uint64_t length = 0;
  for (const ByteView part : call.body) length += part.size();
  if (length > 0 || (call.method != "GET" && call.method != "HEAD")) head += concat("Content-Length: ", length, "\r\n");
  if (options_.most_idle == 0) head += "Connection: close\r\n";
  return head + "\r\n";
}

Result<void> Client::exchange(const std::string& head, const HttpCall& call, const AnswerSink& sink) {
  auto connection = take();
  if (connection) {
    const auto done = connection->exchange(head, call, sink);
    const bool may_repeat = !done && connection->was_broken_off() && !connection->has_answer() &&
                            (!connection->has_sent() || is_idempotent(call.method));
    if (!may_repeat) {
      if (done) give_back(std::move(connection));
      return done;
    }
    connection.reset();
  }
  connection = std::make_unique<ClientConnection>(server_, proxy_ ? &*proxy_ : nullptr, tls_.get(), options_.patience);
  TRY(connection->connect());
  TRY(connection->exchange(head, call, sink));
  give_back(std::move(connection));
  return {};
}

std::unique_ptr<ClientConnection> Client::take() {
  std::vector<std::unique_ptr<ClientConnection>> stale;  // closed without the lock
  const std::lock_guard lock(mutex_);
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (!connection->is_stale()) return connection;
    stale.push_back(std::move(connection));
  }
  return nullptr;
}

void Client::give_back(std::unique_ptr<ClientConnection> connection) {
  if (!connection->is_reusable()) return;
  const std::lock_guard lock(mutex_);
  if (idle_.size() < options_.most_idle) idle_.push_back(std::move(connection));
}

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::open(const HttpClientOptions& options) {
  TRY_ASSIGN(Url server, parse_url(options.base_url));
  TRY_ASSIGN(auto proxy, proxy_for(server));
  TlsContext tls;
  if (server.is_tls) {
    TRY_ASSIGN(tls, client_tls(options.certificate_authorities));
  }
  return std::unique_ptr<HttpClient>(
      std::make_unique<Client>(options, std::move(server), std::move(proxy), std::move(tls)));
}

}  // namespace studio::net
