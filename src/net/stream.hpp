// The bytes of one connection, plain or under TLS: one type, so that what reads and writes them exists once.
#pragma once

#include <optional>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

namespace studio::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

// An AsyncReadStream and AsyncWriteStream of Boost.Asio. Used by one thread at a time; one read and one write may be on
// their way. Handlers are functions of (error_code), or of (error_code, bytes).
class Stream {
 public:
  using executor_type = beast::tcp_stream::executor_type;

  // Under TLS if there is a context, which must outlive the stream.
  Stream(tcp::socket socket, asio::ssl::context* tls) : tcp_(std::move(socket)) {
    if (tls != nullptr) tls_.emplace(tcp_, *tls);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  executor_type get_executor() noexcept { return tcp_.get_executor(); }
  // What is below TLS, with its time-outs.
  beast::tcp_stream& transport() { return tcp_; }
  bool is_tls() const { return tls_.has_value(); }
  // Only of a stream under TLS.
  SSL* ssl() { return tls_->native_handle(); }
  // From now on plain, for a peer that does not speak TLS. Nothing may be on its way.
  void drop_tls() { tls_.reset(); }

  // Does nothing on a plain stream.
  template <class Handler>
  void async_handshake(asio::ssl::stream_base::handshake_type type, Handler handler) {
    if (tls_) return tls_->async_handshake(type, std::move(handler));
    asio::post(get_executor(), [handler = std::move(handler)]() mutable { handler(error_code()); });
  }

  // Tells the peer that nothing more comes: under TLS with its "close notify", whose answer is awaited.
  template <class Handler>
  void async_shutdown(Handler handler) {
    auto below = [this, handler = std::move(handler)](error_code) mutable {
      error_code error;
      tcp_.socket().shutdown(tcp::socket::shutdown_send, error);
      handler(error);
    };
    if (tls_) return tls_->async_shutdown(std::move(below));
    asio::post(get_executor(), [below = std::move(below)]() mutable { below(error_code()); });
  }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) return tls_->async_read_some(buffers, std::forward<Handler>(handler));
    return tcp_.async_read_some(buffers, std::forward<Handler>(handler));
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) return tls_->async_write_some(buffers, std::forward<Handler>(handler));
    return tcp_.async_write_some(buffers, std::forward<Handler>(handler));
  }

 private:
  beast::tcp_stream tcp_;
  std::optional<beast::ssl_stream<beast::tcp_stream&>> tls_;
};

}  // namespace studio::net
