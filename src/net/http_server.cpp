#include "net/http_server.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <exception>
#include <mutex>
#include <span>
#include <thread>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/letters.hpp"

namespace studio::net {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t k_most_head = 32 << 10;
// A peer that takes this much within the server's patience is not given up.
constexpr std::size_t k_write = 64 << 10;

enum class Framing { length, chunked, until_close };

// IMF-fixdate of RFC 9110, 5.6.7: names of days and months are English whatever the locale.
std::string date_now() {
  constexpr std::array k_days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array k_months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  const auto two = [](int number) { return concat(number < 10 ? "0" : "", number); };
  return concat(k_days.at(static_cast<std::size_t>(utc.tm_wday)), ", ", two(utc.tm_mday), " ",
                k_months.at(static_cast<std::size_t>(utc.tm_mon)), " ", utc.tm_year + 1900, " ", two(utc.tm_hour), ":",
                two(utc.tm_min), ":", two(utc.tm_sec), " GMT");
}

// So that no value can begin another header or end the head.
bool is_header_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool has_no_body(unsigned status) { return status < 200 || status == 204 || status == 304; }

class Connection;

class Server : public HttpServer {
 public:
  Server(const HttpServerOptions& options, Handler handler) : options_(options), handler_(std::move(handler)) {}

  Result<void> open();
  std::uint16_t port() const override { return acceptor_.local_endpoint().port(); }
  void run(std::stop_token stop) override;

  const HttpServerOptions& options() const { return options_; }
  asio::io_context& io() { return io_; }
  void leave(Connection* connection) {
    const std::lock_guard lock(mutex_);
    connections_.erase(connection);
  }
  // False if there is too much to do.
  bool submit(std::shared_ptr<Connection> connection);

 private:
  void accept();
  void welcome(tcp::socket socket);
  void close_all();

  const HttpServerOptions options_;
  const Handler handler_;
  std::mutex mutex_;
  std::unordered_map<Connection*, std::weak_ptr<Connection>> connections_;
  std::atomic<std::size_t> waiting_ = 0;
  asio::io_context io_{1};  // goes before what its handlers lean on
  tcp::acceptor acceptor_{io_};
  asio::steady_timer pause_{io_};
  std::optional<asio::thread_pool> handlers_;
};

// One peer. What is said to be the handler's is used by the thread of a handler, everything else by that of the
// connections; while a handler runs, the other thread does nothing but what it was asked to.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Server& server, tcp::socket socket) : server_(server), stream_(std::move(socket)) {}
  ~Connection() { server_.leave(this); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start() { read(); }

  void close() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

  // The handler's.
  const HttpRequest& request() const { return request_; }
  bool is_head() const { return request_.method == "HEAD"; }
  bool speaks_1_1() const { return speaks_1_1_; }

  // The handler's: sends all and waits until it is sent.
  Result<void> send(std::span<const asio::const_buffer> parts) {
    std::mutex mutex;
    std::condition_variable sent;
    std::optional<error_code> outcome;
    const auto finished = [&](error_code error) {
      const std::lock_guard lock(mutex);
      outcome = error;
      sent.notify_one();
    };
    asio::post(server_.io(), [&, self = shared_from_this()] {
      stream_.expires_after(server_.options().patience);
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

  // The handler's: the answer is complete.
  void next(bool keep) {
    asio::post(server_.io(), [self = shared_from_this(), keep] {
      if (keep && self->keep_alive_) {
        self->read();
      } else {
        self->close();
      }
    });
  }

  std::string head_of(const HttpResponse& response, Framing framing, std::uint64_t length) {
    const auto status = http::int_to_status(response.status);
    std::string head = concat("HTTP/1.1 ", response.status, " ", std::string(http::obsolete_reason(status)),
                              "\r\nDate: ", date_now(), "\r\n");
    for (const auto& [name, value] : response.headers) head += concat(name, ": ", value, "\r\n");
    if (framing == Framing::chunked) head += "Transfer-Encoding: chunked\r\n";
    if (framing == Framing::length && !has_no_body(response.status)) head += concat("Content-Length: ", length, "\r\n");
    keep_alive_ = keep_alive_ && framing != Framing::until_close;
    head += keep_alive_ ? "\r\n" : "Connection: close\r\n\r\n";
    return head;
  }

  // For an event stream.
  beast::tcp_stream& stream() { return stream_; }
  Server& server() { return server_; }

 private:
  using Parser = http::request_parser<http::string_body>;

  void read() {
    parser_.emplace();
    parser_->header_limit(k_most_head);
    parser_->body_limit(server_.options().most_body);
    stream_.expires_after(server_.options().patience);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, std::size_t) { self->have_head(error); });
  }

  void have_head(error_code error) {
    if (error) return refuse(error);
    speaks_1_1_ = parser_->get().version() >= 11;
    keep_alive_ = parser_->keep_alive();
    if (!parser_->is_done() && equal_but_for_case(parser_->get()[http::field::expect], "100-continue"))
      return go_on_to_body();
    read_body();
  }

  void go_on_to_body() {
    static constexpr std::string_view k_continue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(k_continue), [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->close();
      self->read_body();
    });
  }

  void read_body() {
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, std::size_t) { self->have_request(error); });
  }

  void have_request(error_code error) {
    if (error) return refuse(error);
    stream_.expires_never();
    auto message = parser_->release();
    parser_.reset();
    request_ = {};
    request_.method = std::string(message.method_string());
    request_.target = std::string(message.target());
    for (const auto& field : message) request_.headers.emplace_back(field.name_string(), field.value());
    request_.body = std::move(message.body());
    if (!server_.submit(shared_from_this())) {
      keep_alive_ = false;
      say(503, "the server has too much to do; try again\n");
    }
  }

  // A request that cannot be read.
  void refuse(error_code error) {
    keep_alive_ = false;
    if (error == http::error::body_limit) return say(413, "the request's body is too large\n");
    if (error == http::error::header_limit) return say(431, "the request's head is too large\n");
    const bool is_of_http = error.category() == error_code(http::error::end_of_stream).category();
    if (is_of_http && error != http::error::end_of_stream && error != http::error::partial_message)
      return say(400, "the request is no HTTP\n");
    close();
  }

  void say(unsigned status, std::string text) {
    HttpResponse response{status,
                          {{"Content-Type", "text/plain; charset=utf-8"}, {"X-Content-Type-Options", "nosniff"}},
                          std::move(text)};
    auto bytes =
        std::make_shared<std::string>(head_of(response, Framing::length, response.body.size()) + response.body);
    stream_.expires_after(server_.options().patience);
    const auto buffer = asio::buffer(*bytes);
    asio::async_write(stream_, buffer, [self = shared_from_this(), bytes](error_code, std::size_t) { self->close(); });
  }

  Server& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  HttpRequest request_;
  bool keep_alive_ = false;
  bool speaks_1_1_ = true;
};

// A connection that sends what is queued until one side ends it.
class ConnectionStream : public std::enable_shared_from_this<ConnectionStream> {
 public:
  explicit ConnectionStream(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  void start(std::string head) {
    queue(std::move(head));
    // A peer that goes away is noticed by reading, of which nothing else comes.
    post([](ConnectionStream& self) { self.wait_for_end(); });
  }

  void queue(std::string bytes) {
    const std::lock_guard lock(mutex_);
    if (!open_) return;
    pending_ += bytes.size();
    waiting_ += bytes;
    if (!std::exchange(writing_, true)) post([](ConnectionStream& self) { self.write(); });
  }

  // When all is sent.
  void end() {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    if (!writing_) close_later();
  }

  std::size_t pending() const {
    const std::lock_guard lock(mutex_);
    return pending_;
  }
  bool is_open() const {
    const std::lock_guard lock(mutex_);
    return open_;
  }

 private:
  // To the connection's thread.
  template <class Action>
  void post(Action action) {
    asio::post(connection_->server().io(), [self = shared_from_this(), action] { action(*self); });
  }
  void close_later() {
    post([](ConnectionStream& self) { self.connection_->close(); });
  }

  void wait_for_end() {
    const auto read = [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) return self->wait_for_end();
      const std::lock_guard lock(self->mutex_);
      self->open_ = false;
    };
    connection_->stream().async_read_some(asio::buffer(ignored_), read);
  }

  void write() {
    {
      const std::lock_guard lock(mutex_);
      on_its_way_ = std::exchange(waiting_, {});
    }
    connection_->stream().expires_after(connection_->server().options().patience);
    asio::async_write(connection_->stream(), asio::buffer(on_its_way_),
                      [self = shared_from_this()](error_code error, std::size_t) { self->written(error); });
  }

  void written(error_code error) {
    connection_->stream().expires_never();
    const std::lock_guard lock(mutex_);
    pending_ -= on_its_way_.size();
    open_ = open_ && !error;
    if (open_ && !waiting_.empty()) return post([](ConnectionStream& self) { self.write(); });
    writing_ = false;
    if (!open_ || ending_) close_later();
  }

  const std::shared_ptr<Connection> connection_;
  std::array<char, 64> ignored_{};
  std::string on_its_way_;  // the connection's thread
  mutable std::mutex mutex_;
  std::string waiting_;
  std::size_t pending_ = 0;
  bool writing_ = false;
  bool ending_ = false;
  bool open_ = true;
};

// What its owner holds: the connection ends with it.
class OwnedStream : public EventStream {
 public:
  explicit OwnedStream(std::shared_ptr<ConnectionStream> stream) : stream_(std::move(stream)) {}
  ~OwnedStream() override { stream_->end(); }
  OwnedStream(const OwnedStream&) = delete;
  OwnedStream& operator=(const OwnedStream&) = delete;
  void send(std::string bytes) override { stream_->queue(std::move(bytes)); }
  std::size_t pending() const override { return stream_->pending(); }
  bool is_open() const override { return stream_->is_open(); }

 private:
  const std::shared_ptr<ConnectionStream> stream_;
};

class Exchange : public HttpExchange {
 public:
  explicit Exchange(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  const HttpRequest& request() const override { return connection_->request(); }

  void respond(HttpResponse response) override {
    if (std::exchange(answered_, true)) return;
    check(response);
    const std::string head = connection_->head_of(response, Framing::length, response.body.size());
    std::vector<asio::const_buffer> parts{asio::buffer(head)};
    if (!connection_->is_head() && !has_no_body(response.status)) parts.push_back(asio::buffer(response.body));
    const bool sent = send_in_pieces(parts).has_value();
    connection_->next(sent);
  }

  Result<void> begin(HttpResponse head, std::optional<std::uint64_t> length) override {
    answered_ = true;
    check(head);
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

  Result<void> write(ByteView bytes) override {
    if (connection_->is_head()) return {};
    while (!bytes.empty()) {
      const ByteView piece = bytes.first(std::min(bytes.size(), k_write));
      TRY(write_piece(piece));
      bytes = bytes.subspan(piece.size());
    }
    return {};
  }

  void finish() override {
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

  std::shared_ptr<EventStream> stream(HttpResponse head) override {
    answered_ = true;
    check(head);
    auto stream = std::make_shared<ConnectionStream>(connection_);
    stream->start(connection_->head_of(head, Framing::until_close, 0));
    return std::make_shared<OwnedStream>(std::move(stream));
  }

  // After the handler.
  void conclude() {
    if (!answered_) respond({.status = 500, .headers = {{"Content-Type", "text/plain"}}, .body = "no answer\n"});
    if (is_begun_) connection_->next(false);
  }

 private:
  // Nobody may put a line break into a header: it would end there.
  static void check(HttpResponse& response) {
    std::erase_if(response.headers,
                  [](const auto& header) { return !is_header_text(header.first) || !is_header_text(header.second); });
  }

  Result<void> send_in_pieces(const std::vector<asio::const_buffer>& parts) {
    for (asio::const_buffer part : parts) {
      while (part.size() > 0) {
        const std::array piece{asio::const_buffer(part.data(), std::min(part.size(), k_write))};
        TRY(connection_->send(piece));
        part += piece.front().size();
      }
    }
    return {};
  }

  Result<void> write_piece(ByteView piece) {
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

  std::shared_ptr<Connection> connection_;
  Framing framing_ = Framing::length;
  std::uint64_t left_ = 0;  // of a body whose length was given
  bool answered_ = false;
  bool is_begun_ = false;  // and not finished
};

bool Server::submit(std::shared_ptr<Connection> connection) {
  if (waiting_.fetch_add(1) >= options_.most_waiting + options_.threads) {
    --waiting_;
    return false;
  }
  asio::post(*handlers_, [this, connection = std::move(connection)] {
    Exchange exchange(connection);
    try {
      handler_(exchange);
    } catch (const std::exception&) {
      // Memory has run out, or the like: answered with 500 below.
    }
    exchange.conclude();
    --waiting_;
  });
  return true;
}

void Server::welcome(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const auto connection = std::make_shared<Connection>(*this, std::move(socket));
  {
    const std::lock_guard lock(mutex_);
    if (connections_.size() >= options_.most_connections) return;
    connections_.emplace(connection.get(), connection);
  }
  connection->start();
}

void Server::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (!acceptor_.is_open()) return;
    if (!error) {
      welcome(std::move(socket));
      return accept();
    }
    // No descriptor is free, or the like: it would be so again at once.
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](error_code cancelled) {
      if (!cancelled) accept();
    });
  });
}

void Server::close_all() {
  std::vector<std::shared_ptr<Connection>> open;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [pointer, connection] : connections_)
      if (auto alive = connection.lock()) open.push_back(std::move(alive));
  }
  for (const auto& connection : open) connection->close();
}

void Server::run(std::stop_token stop) {
  handlers_.emplace(options_.threads);
  auto work = asio::make_work_guard(io_);
  accept();
  std::jthread io_thread([this] { io_.run(); });
  {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait(lock, stop, [] { return false; });
  }
  asio::post(io_, [this] {
    acceptor_.close();
    pause_.cancel();
    close_all();
  });
  handlers_->join();
  work.reset();
}

Code code_of(error_code error) {
  if (error == asio::error::address_in_use) return Code::already_exists;
  if (error == asio::error::access_denied) return Code::denied;
  return Code::invalid;
}

Result<void> Server::open() {
  error_code error;
  const tcp::endpoint endpoint(asio::ip::make_address(options_.address, error), options_.port);
  if (!error) acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  return Error{code_of(error), concat("cannot listen on ", printable(options_.address), " port ", options_.port, ": ",
                                      error.message())};
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (equal_but_for_case(key, name)) return value;
  return {};
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const HttpServerOptions& options, Handler handler) {
  auto server = std::make_unique<Server>(options, std::move(handler));
  TRY(server->open());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace studio::net
