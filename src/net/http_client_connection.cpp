#include "net/http_client_connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>

#include "base/concat.hpp"

namespace studio::net {

namespace {

namespace http = boost::beast::http;

constexpr std::uint32_t k_most_head = 64 << 10;
// A server that takes this much in time is not given up.
constexpr std::size_t k_piece = 64 << 10;

bool is_of_tls(error_code error) { return error.category() == asio::error::get_ssl_category(); }

bool is_of_http(error_code error) {
  return error.category() == error_code(http::error::end_of_stream).category() && error != http::error::end_of_stream &&
         error != http::error::partial_message;
}

}  // namespace

ClientConnection::ClientConnection(const Url& server, const Url* proxy, asio::ssl::context* tls,
                                   std::chrono::milliseconds patience)
    : server_(server), proxy_(proxy), tls_(tls), patience_(patience), buffer_(2 * k_most_head) {}

error_code ClientConnection::wait_for(const std::optional<error_code>& outcome) {
  while (!outcome) {
    if (io_.stopped()) io_.restart();
    if (io_.run_one_until(deadline_) > 0 || std::chrono::steady_clock::now() < deadline_) continue;
    // The deadline moves while there is progress.
    return asio::error::timed_out;
  }
  return *outcome;
}

Result<void> ClientConnection::connect() {
  TRY_ASSIGN(const auto endpoints, look_up());
  begin_time();
  tcp::socket socket(io_);
  std::optional<error_code> outcome;
  asio::async_connect(socket, endpoints, [&](error_code error, const tcp::endpoint&) { outcome = error; });
  if (const error_code error = wait_for(outcome)) return cannot_connect(error.message());
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  stream_.emplace(std::move(socket), tls_);
  if (tls_ == nullptr) return {};
  if (proxy_ != nullptr) TRY(open_tunnel());
  return shake_hands();
}

Result<std::vector<tcp::endpoint>> ClientConnection::look_up() {
  const Url& next = proxy_ == nullptr ? server_ : *proxy_;
  error_code error;
  const auto address = asio::ip::make_address(next.host, error);
  if (!error) return std::vector{tcp::endpoint(address, next.port)};
  tcp::resolver resolver(io_);
  const auto found = resolver.resolve(next.host, std::to_string(next.port), error);
  if (error) return cannot_connect(error.message());
  return std::vector<tcp::endpoint>(found.begin(), found.end());
}

Result<void> ClientConnection::open_tunnel() {
  const bool is_v6 = server_.host.find(':') != server_.host.npos;
  const std::string target = concat(is_v6 ? "[" : "", server_.host, is_v6 ? "]:" : ":", server_.port);
  const std::string head = concat("CONNECT ", target, " HTTP/1.1\r\nHost: ", target, "\r\n\r\n");
  begin_time();
  std::optional<error_code> outcome;
  const auto ended = [&](error_code error, std::size_t) { outcome = error; };
  asio::async_write(stream_->transport(), asio::buffer(head), ended);
  error_code error = wait_for(outcome);
  if (!error) {
    parser_.emplace();
    parser_->skip(true);
    outcome.reset();
    http::async_read_header(stream_->transport(), buffer_, *parser_, ended);
    error = wait_for(outcome);
  }
  if (error) return cannot_connect(error.message());
  buffer_.clear();
  const auto& answer = parser_->get();
  if (answer.result_int() / 100 == 2) return {};
  const bool is_refusal = answer.result_int() / 100 == 4;
  return Error{is_refusal ? Code::denied : Code::unavailable,
               concat("the proxy ", proxy_->host, " port ", proxy_->port, " does not connect to ", target, ": ",
                      answer.result_int(), " ", std::string(answer.reason())),
               "no_proxy lists what is asked without it"};
}

Result<void> ClientConnection::shake_hands() {
  SSL* const ssl = stream_->ssl();
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl);
  error_code is_name;
  asio::ip::make_address(server_.host, is_name);
  // An address is no name: it has another place in a certificate, and none in the handshake (RFC 6066, 3).
  const bool is_set = is_name ? SSL_set1_host(ssl, server_.host.c_str()) == 1 &&
                                    SSL_set_tlsext_host_name(ssl, server_.host.c_str()) == 1
                              : X509_VERIFY_PARAM_set1_ip_asc(expected, server_.host.c_str()) == 1;
  if (!is_set) return Error{Code::invalid, concat("'", server_.host, "' is no name that a certificate can have")};
  begin_time();
  std::optional<error_code> outcome;
  stream_->async_handshake(asio::ssl::stream_base::client, [&](error_code error) { outcome = error; });
  if (const error_code error = wait_for(outcome)) return handshake_error(error);
  return {};
}

Result<void> ClientConnection::exchange(const std::string& head, const HttpCall& call, const AnswerSink& sink) {
  is_reusable_ = has_answer_ = false;
  has_sent_ = true;
  unsent_.clear();
  on_their_way_.clear();
  for (auto part = call.body.rbegin(); part != call.body.rend(); ++part)
    if (!part->empty()) unsent_.emplace_back(part->data(), part->size());
  unsent_.push_back(asio::buffer(head));
  sent_.reset();
  begin_time();
  send_more();
  // The server may answer before it has taken all: that it will not have it, for example.
  head_read_.reset();
  parser_.emplace();
  parser_->skip(call.method == "HEAD");
  read_head();
  if (const error_code error = wait_for(head_read_)) return broken_off(error);

  HttpAnswer answer{.status = parser_->get().result_int()};
  for (const auto& field : parser_->get()) answer.headers.emplace_back(field.name_string(), field.value());
  const auto length = parser_->content_length();
  TRY(sink.head(answer, length ? std::optional<std::uint64_t>(*length) : std::nullopt));
  TRY(read_body(sink));
  is_reusable_ = parser_->keep_alive() && sent_ == error_code() && buffer_.size() == 0;
  return {};
}

void ClientConnection::send_more() {
  const bool is_first = on_their_way_.empty();
  on_their_way_.clear();
  for (std::size_t room = k_piece; room > 0 && !unsent_.empty();) {
    asio::const_buffer& next = unsent_.back();
    on_their_way_.emplace_back(next.data(), std::min(next.size(), room));
    room -= on_their_way_.back().size();
    next += on_their_way_.back().size();
    if (next.size() == 0) unsent_.pop_back();
  }
  asio::async_write(*stream_, on_their_way_, [this, is_first](error_code error, std::size_t sent) {
    begin_time();
    if (!error && !unsent_.empty()) return send_more();
    if (error && is_first && sent == 0) has_sent_ = false;
    sent_ = error;  // whether there is an answer all the same is for the reader to find out
  });
}

void ClientConnection::read_head() {
  parser_->header_limit(k_most_head);
  parser_->body_limit(boost::none);
  http::async_read_header(*stream_, buffer_, *parser_, [this](error_code error, std::size_t got) {
    has_answer_ = has_answer_ || got > 0 || buffer_.size() > 0;
    const bool is_interim = !error && parser_->get().result_int() / 100 == 1;
    if (!is_interim) {
      head_read_ = error;
      return;
    }
    begin_time();
    const bool skips = parser_->skip();
    parser_.emplace();
    parser_->skip(skips);
    read_head();
  });
}

Result<void> ClientConnection::read_body(const AnswerSink& sink) {
  Bytes piece(std::min<std::uint64_t>(parser_->content_length_remaining().value_or(k_piece), k_piece));
  if (!parser_->is_done()) buffer_.reserve(k_piece);
  while (!parser_->is_done()) {
    auto& body = parser_->get().body();
    body.data = piece.data();
    body.size = piece.size();
    begin_time();
    std::optional<error_code> outcome;
    http::async_read_some(*stream_, buffer_, *parser_, [&](error_code error, std::size_t) { outcome = error; });
    const error_code error = wait_for(outcome);
    if (error && error != http::error::need_buffer) return broken_off(error);
    const std::size_t got = piece.size() - body.size;
    if (got > 0) TRY(sink.body(ByteView(piece).first(got)));
  }
  return {};
}

bool ClientConnection::is_stale() {
  char byte = 0;
  const ssize_t got = ::recv(stream_->transport().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

Error ClientConnection::cannot_connect(const std::string& cause) const {
  const Url& next = proxy_ == nullptr ? server_ : *proxy_;
  return {
      Code::unavailable,
      concat("cannot connect to ", proxy_ == nullptr ? "" : "the proxy ", next.host, " port ", next.port, ": ", cause),
      "is the server running, and can it be reached from here?"};
}

Error ClientConnection::handshake_error(error_code error) {
  const std::string place = concat(server_.host, " port ", server_.port);
  if (const long verdict = SSL_get_verify_result(stream_->ssl()); verdict != X509_V_OK) {
    const bool is_other = verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH;
    const char* const hint =
        is_other ? "use the name that the certificate is for"
        : verdict == X509_V_ERR_CERT_HAS_EXPIRED
            ? "the server needs a new certificate; or is the clock of this machine wrong?"
            : "if it is the right server, have its authority trusted: name the PEM file of that certificate in the "
              "settings, or in SSL_CERT_FILE";
    return {Code::denied,
            concat("the certificate of ", place, " is not trusted: ", X509_verify_cert_error_string(verdict)), hint};
  }
  if (!is_of_tls(error)) return cannot_connect(error.message());
  return {Code::unsupported, concat("cannot agree with ", place, " on TLS: ", error.message()),
          "does the server speak HTTPS there?"};
}

Error ClientConnection::broken_off(error_code error) {
  const std::string place = concat(server_.host, " port ", server_.port);
  if (is_of_http(error))
    return {Code::unsupported, concat("what ", place, " answers is no HTTP: ", error.message()),
            tls_ == nullptr ? "if the server speaks HTTPS, its URL begins with https://" : ""};
  if (error == asio::error::timed_out)
    return {Code::unavailable, concat(place, " did not answer in time"), "try again"};
  is_broken_off_ = true;
  const bool is_closed = error == http::error::end_of_stream || error == http::error::partial_message;
  return {Code::unavailable,
          concat("the connection to ", place, " broke off: ", is_closed ? "the server closed it" : error.message()),
          "try again"};
}

}  // namespace studio::net
