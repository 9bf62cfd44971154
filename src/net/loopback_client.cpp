#include "net/loopback_client.hpp"

#include <array>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "base/concat.hpp"

namespace studio::net {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t k_most_head = 64 << 10;
constexpr std::size_t k_piece = 64 << 10;

class Exchange {
 public:
  Exchange(const LoopbackOptions& options, const HttpRequest& request, std::string body) : options_(options) {
    request_.method_string(request.method);
    request_.target(request.target);
    request_.version(11);
    for (const auto& [name, value] : request.headers) request_.insert(name, value);
    request_.set(http::field::host, concat("127.0.0.1:", options.port));
    request_.set(http::field::connection, "close");
    request_.body() = std::move(body);
    if (!request_.body().empty()) request_.prepare_payload();
    parser_.header_limit(k_most_head);
    parser_.body_limit(boost::none);
    if (request.method == "HEAD") parser_.skip(true);
  }

  Result<void> run(const AnswerSink& sink) {
    const tcp::endpoint peer(asio::ip::address_v4::loopback(), options_.port);
    TRY(wait([&](auto done) { stream_.async_connect(peer, [done](error_code error) { done(error, 0); }); }));
    TRY(wait([&](auto done) { http::async_write(stream_, request_, done); }));
    TRY(wait([&](auto done) { http::async_read_header(stream_, buffer_, parser_, done); }));
    TRY(sink.head(head(), length()));
    return read_body(sink);
  }

 private:
  // Does one thing, and no longer than the peer deserves.
  template <class Begin>
  Result<void> wait(Begin begin) {
    error_code outcome;
    stream_.expires_after(options_.patience);
    begin([&outcome](error_code error, std::size_t) { outcome = error; });
    io_.restart();
    io_.run();
    if (!outcome || outcome == http::error::need_buffer) return {};
    const bool is_of_http = outcome.category() == error_code(http::error::end_of_stream).category();
    const bool broke_off = outcome == http::error::end_of_stream || outcome == http::error::partial_message;
    return Error{is_of_http && !broke_off ? Code::corrupt : Code::unavailable,
                 concat("no answer from 127.0.0.1 port ", options_.port, ": ", outcome.message())};
  }

  Result<void> read_body(const AnswerSink& sink) {
    while (!parser_.is_done()) {
      auto& body = parser_.get().body();
      body.data = piece_.data();
      body.size = piece_.size();
      TRY(wait([&](auto done) { http::async_read_some(stream_, buffer_, parser_, done); }));
      const std::size_t got = piece_.size() - parser_.get().body().size;
      if (got > 0) TRY(sink.body(ByteView(piece_).first(got)));
    }
    return {};
  }

  HttpResponse head() const {
    HttpResponse head{.status = parser_.get().result_int()};
    for (const auto& field : parser_.get()) head.headers.emplace_back(field.name_string(), field.value());
    return head;
  }

  std::optional<std::uint64_t> length() const {
    const auto length = parser_.content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
  }

  const LoopbackOptions options_;
  asio::io_context io_{1};
  beast::tcp_stream stream_{io_};
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response_parser<http::buffer_body> parser_;
  std::array<std::byte, k_piece> piece_{};
};

}  // namespace

Result<void> ask_loopback(const LoopbackOptions& options, const HttpRequest& request, std::string body,
                          const AnswerSink& sink) {
  try {
    const auto exchange = std::make_unique<Exchange>(options, request, std::move(body));
    return exchange->run(sink);
  } catch (const boost::system::system_error& error) {
    return Error{Code::internal, concat("a request cannot be sent: ", error.what())};
  }
}

}  // namespace studio::net
