#include "net/http_server.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <unordered_map>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "net/http_connection.hpp"
#include "net/http_exchange.hpp"
#include "net/tls.hpp"

namespace studio::net {

namespace {

class Server : public HttpServer, public ConnectionOwner {
 public:
  Server(const HttpServerOptions& options, TlsContext tls, Handler handler)
      : options_(options), tls_(std::move(tls)), handler_(std::move(handler)) {}

  Result<void> open();
  std::uint16_t port() const override { return acceptor_.local_endpoint().port(); }
  bool is_tls() const override { return tls_ != nullptr; }
  void run(std::stop_token stop) override;

 private:
  const HttpServerOptions& options() const override { return options_; }
  asio::ssl::context* tls() override { return tls_.get(); }
  asio::io_context& io() override { return io_; }
  bool submit(std::shared_ptr<Connection> connection) override;
  void leave(Connection* connection) override {
    const std::lock_guard lock(mutex_);
    connections_.erase(connection);
  }

  void accept();
  void welcome(tcp::socket socket);
  void close_all();

  const HttpServerOptions options_;
  const TlsContext tls_;
  const Handler handler_;
  std::mutex mutex_;
  std::unordered_map<Connection*, std::weak_ptr<Connection>> connections_;
  std::atomic<std::size_t> waiting_ = 0;
  asio::io_context io_{1};  // goes before what its handlers lean on
  tcp::acceptor acceptor_{io_};
  asio::steady_timer pause_{io_};
  std::optional<asio::thread_pool> handlers_;
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
  // "::" is every address of the machine, those of version 4 among them, whatever the system's default.
  if (!error && endpoint.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  return Error{code_of(error), concat("cannot listen on ", printable(options_.address), " port ", options_.port, ": ",
                                      error.message())};
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const HttpServerOptions& options, Handler handler) {
  TlsContext tls;
  if (options.tls) {
    TRY_ASSIGN(tls, server_tls(*options.tls));
  }
  auto server = std::make_unique<Server>(options, std::move(tls), std::move(handler));
  TRY(server->open());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace studio::net
