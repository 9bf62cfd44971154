#include "net/http_client.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/concat.hpp"
#include "net/certificate_testing.hpp"
#include "net/http_server.hpp"
#include "net/peer_testing.hpp"
#include "os/process_testing.hpp"

namespace studio::net {
namespace {

using testing::CertificateFiles;

std::string some_text(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i);
  text.resize(size);
  return text;
}

// Answers with what was asked; "/number" with a number of bytes that is in the target.
void answer(HttpExchange& exchange) {
  const HttpRequest& request = exchange.request();
  const auto body = exchange.body(64 << 20);
  if (!body) return exchange.respond({400, {}, body.error().message});
  if (request.target == "/prefix/echo") return exchange.respond({200, {{"X-Studio", "yes"}}, *body});
  if (request.target == "/prefix/chunks") {
    ASSERT_TRUE(exchange.begin({}, std::nullopt));
    (void)exchange.write(as_bytes(*body));
    return exchange.finish();
  }
  if (request.target == "/prefix/break") {
    ASSERT_TRUE(exchange.begin({}, std::nullopt));
    (void)exchange.write(as_bytes("a part"));
    return;
  }
  exchange.respond(
      {404, {{"X-Studio", "no"}}, concat(request.method, " ", request.target, " ", request.header("X-Mine"))});
}

class RunningServer {
 public:
  explicit RunningServer(HttpServerOptions options, HttpServer::Handler handler = answer) {
    auto server = HttpServer::listen(options, std::move(handler));
    EXPECT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    thread_ = std::jthread([this](std::stop_token stop) { server_->run(std::move(stop)); });
  }
  std::uint16_t port() const { return server_->port(); }

 private:
  std::unique_ptr<HttpServer> server_;
  std::jthread thread_;
};

std::string text_of(const Result<HttpAnswer>& result) {
  return result ? concat(result->status, " ", as_text(result->body)) : result.error().message;
}

// What came, as it came.
struct Streamed {
  Result<void> outcome = Error{};
  HttpAnswer head;
  std::optional<std::uint64_t> length;
  std::string body;
};

Streamed stream(HttpClient& client, const HttpCall& call) {
  Streamed got;
  got.outcome = client.stream(call, {.head = [&](const HttpAnswer& head, auto length) -> Result<void> {
                                       EXPECT_EQ(got.body, "") << "the head comes first";
                                       EXPECT_TRUE(head.body.empty());
                                       got.head = head;
                                       got.length = length;
                                       return {};
                                     },
                                     .body = [&](ByteView piece) -> Result<void> {
                                       got.body += as_text(piece);
                                       return {};
                                     }});
  return got;
}

std::string text_of(const Streamed& got) {
  return got.outcome ? concat(got.head.status, " ", got.body) : got.outcome.error().message;
}

// The client against our own server, plain (false) and under TLS.
class HttpClientTest : public ::testing::TestWithParam<bool> {
 protected:
  void serve(HttpServer::Handler handler = answer, HttpServerOptions options = {}) {
    if (GetParam()) options.tls = files_.server();
    server_.emplace(std::move(options), std::move(handler));
    client_ = open();
  }
  std::unique_ptr<HttpClient> open(const std::string& host = "localhost") const {
    auto client = HttpClient::open(
        {.base_url = concat(GetParam() ? "https://" : "http://", host, ":", server_->port(), "/prefix"),
         .certificate_authorities = GetParam() ? files_.authority() : ""});
    EXPECT_TRUE(client) << client.error().message;
    return *std::move(client);
  }
  Result<HttpAnswer> put(const std::string& target, std::string_view body, std::uint64_t most_answer = 64 << 20) {
    const std::array parts{as_bytes(body.substr(0, body.size() / 3)), ByteView(),
                           as_bytes(body.substr(body.size() / 3))};
    return client_->request({.method = "PUT", .target = target, .body = parts, .most_answer = most_answer});
  }

  const CertificateFiles files_;
  std::optional<RunningServer> server_;
  std::unique_ptr<HttpClient> client_;
};
INSTANTIATE_TEST_SUITE_P(, HttpClientTest, ::testing::Bool(),
                         [](const auto& is_tls) { return is_tls.param ? "Tls" : "Plain"; });

TEST_P(HttpClientTest, AsksAndGetsTheAnswer) {
  serve();
  const auto echo = put("/echo", "hello");
  EXPECT_EQ(text_of(echo), "200 hello");
  EXPECT_EQ(echo->header("x-studio"), "yes");
  EXPECT_EQ(text_of(put("/chunks", "hello")), "200 hello");
  EXPECT_EQ(text_of(put("/chunks", "")), "200 ");
  EXPECT_EQ(text_of(client_->request({.target = "/a%20b?c=d", .headers = {{"X-Mine", "mine"}}})),
            "404 GET /prefix/a%20b?c=d mine");
  EXPECT_EQ(text_of(client_->request({.method = "HEAD", .target = "/echo"})), "200 ");
  EXPECT_EQ(text_of(client_->request({.method = "DELETE", .target = "/x"})), "404 DELETE /prefix/x ");
  EXPECT_EQ(text_of(open("127.0.0.1")->request({.target = "/x"})), "404 GET /prefix/x ");
}

TEST_P(HttpClientTest, SpeaksIpv6) {
  serve(answer, {.address = "::1"});
  EXPECT_EQ(text_of(open("[::1]")->request({.target = "/x"})), "404 GET /prefix/x ");
}

TEST_P(HttpClientTest, LargeBodiesGoBothWays) {
  serve();
  const std::string body = some_text(1'500'000);
  EXPECT_EQ(text_of(put("/echo", body)), "200 " + body);
  EXPECT_EQ(text_of(put("/chunks", body)), "200 " + body);
}

TEST_P(HttpClientTest, AnAnswerIsTakenAsItComes) {
  serve();
  const std::string body = some_text(1'500'000);
  const std::array parts{as_bytes(body)};
  const HttpCall whole{.method = "PUT", .target = "/echo", .body = parts, .most_answer = 0};
  const Streamed echo = stream(*client_, whole);
  EXPECT_EQ(text_of(echo), "200 " + body);
  EXPECT_EQ(echo.length, body.size());
  EXPECT_EQ(echo.head.header("X-Studio"), "yes");
  const Streamed chunks = stream(*client_, {.method = "PUT", .target = "/chunks", .body = parts});
  EXPECT_EQ(text_of(chunks), "200 " + body);
  EXPECT_EQ(chunks.length, std::nullopt);
  const Streamed none = stream(*client_, {.target = "/a%20b?c=%2F", .headers = {{"X-Mine", "mine"}}});
  EXPECT_EQ(text_of(none), "404 GET /prefix/a%20b?c=%2F mine");
  EXPECT_EQ(none.head.header("X-Studio"), "no");
  const Streamed head = stream(*client_, {.method = "HEAD", .target = "/x"});
  EXPECT_EQ(text_of(head), "404 ");
  EXPECT_EQ(head.length, std::string_view("HEAD /prefix/x ").size());
  const Streamed broken = stream(*client_, {.method = "PUT", .target = "/break"});
  EXPECT_EQ(broken.outcome.error().code, Code::unavailable);
  EXPECT_EQ(broken.body, "a part");
}

TEST_P(HttpClientTest, WhoTakesAnAnswerMayHaveHadEnough) {
  serve();
  const auto take = [](const HttpAnswer&, auto) -> Result<void> { return {}; };
  const auto refuse = [](auto&&...) -> Result<void> { return Error{Code::exhausted, "full"}; };
  const auto never = [](ByteView) -> Result<void> {
    ADD_FAILURE() << "after a head that was refused";
    return {};
  };
  for (const AnswerSink& sink : {AnswerSink{.head = take, .body = refuse}, AnswerSink{.head = refuse, .body = never}}) {
    const auto refused = client_->stream({.target = "/x"}, sink);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "full");
    EXPECT_EQ(text_of(put("/echo", "next")), "200 next") << "what was not read is not taken for the next answer";
  }
}

TEST_P(HttpClientTest, AnAnswerThatIsTooLargeIsRefused) {
  serve();
  for (const char* target : {"/echo", "/chunks"}) {
    EXPECT_EQ(text_of(put(target, "0123456789", 10)), "200 0123456789");
    EXPECT_EQ(put(target, "0123456789a", 10).error().code, Code::exhausted);
  }
}

TEST_P(HttpClientTest, ThreadsAskAtTheSameTime) {
  serve();
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 25; ++i) {
        const std::string body = some_text(static_cast<std::size_t>(thread * 10'000 + i));
        EXPECT_EQ(text_of(put(i % 2 == 0 ? "/echo" : "/chunks", body)), "200 " + body);
      }
    });
  }
}

TEST_P(HttpClientTest, AnAnswerThatBreaksOffIsNone) {
  serve();
  const auto broken = put("/break", "");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::unavailable);
  EXPECT_NE(broken.error().message.find("localhost port"), std::string::npos) << broken.error().message;
  EXPECT_EQ(text_of(put("/echo", "next")), "200 next");
}

TEST_P(HttpClientTest, WhoIsRefusedBeforeAllIsSentGetsTheAnswer) {
  serve([](HttpExchange& exchange) { exchange.respond({403, {}, "not you"}); });
  EXPECT_EQ(text_of(put("/echo", std::string(20'000'000, 'x'))), "403 not you");
}

TEST_P(HttpClientTest, AStreamOfEventsIsTakenToItsEnd) {
  serve([](HttpExchange& exchange) {
    const auto stream = exchange.stream({});
    for (int i = 0; i < 100; ++i) stream->send("event\n");
  });
  const Streamed got = stream(*client_, {});
  EXPECT_EQ(got.head.status, 200u);
  EXPECT_EQ(got.body.size(), 600u);
}

TEST_P(HttpClientTest, AServerMayStartAnew) {
  serve();
  EXPECT_EQ(text_of(put("/echo", "one")), "200 one");
  const auto kept = std::move(client_);
  const std::uint16_t port = server_->port();
  server_.reset();
  const auto gone = kept->request({.target = "/x"});
  EXPECT_EQ(gone.error().code, Code::unavailable);
  serve(answer, {.port = port});
  EXPECT_EQ(text_of(kept->request({.method = "POST", .target = "/x"})), "404 POST /prefix/x ");
}

TEST_P(HttpClientTest, AServerThatSaysNothingIsGivenUp) {
  std::atomic<bool> ended = false;
  serve([&](HttpExchange& exchange) {
    ended.wait(false);
    exchange.respond({});
  });
  auto client =
      HttpClient::open({.base_url = concat(GetParam() ? "https://" : "http://", "localhost:", server_->port()),
                        .certificate_authorities = GetParam() ? files_.authority() : "",
                        .patience = std::chrono::milliseconds(GetParam() ? 2000 : 200)});
  const auto late = (*client)->request({});
  ended = true;
  ended.notify_all();
  server_.reset();  // its handler refers to this test
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::unavailable);
  EXPECT_NE(late.error().message.find("did not answer in time"), std::string::npos) << late.error().message;
}

// The client against a server that says what it likes.
class ScriptedServerTest : public ::testing::Test {
 protected:
  // Answers one request, and closes the connection.
  Result<HttpAnswer> ask(std::string_view what_is_said, const HttpCall& call = {}) {
    std::jthread server([&] {
      Peer peer = listener_.accept();
      peer.hear("\r\n\r\n");
      peer.say(what_is_said);
    });
    return client_->request(call);
  }
  std::unique_ptr<HttpClient> open(std::chrono::milliseconds patience = std::chrono::seconds(30)) const {
    return *HttpClient::open({.base_url = concat("http://127.0.0.1:", listener_.port()), .patience = patience});
  }

  const Listener listener_;
  const std::unique_ptr<HttpClient> client_ = open();
};
constexpr std::string_view k_ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(ScriptedServerTest, OnlyWholeAnswersAreTaken) {
  EXPECT_EQ(text_of(ask(k_ok)), "200 ok");
  EXPECT_EQ(text_of(ask("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")), "200 ok");
  EXPECT_EQ(text_of(ask("HTTP/1.0 200 OK\r\n\r\nto the end")), "200 to the end");
  EXPECT_EQ(text_of(ask("HTTP/1.1 204 No Content\r\n\r\n")), "204 ");
  EXPECT_EQ(
      text_of(ask("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + std::string(k_ok))),
      "200 ok");
  EXPECT_EQ(text_of(ask("HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n", {.method = "HEAD"})), "200 ");
  for (const char* part :
       {"", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nok", "HTTP/1.1 100 Continue\r\n\r\n"})
    EXPECT_EQ(ask(part).error().code, Code::unavailable) << part;
  for (const std::string& garbage :
       {std::string("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")})
    EXPECT_EQ(ask(garbage).error().code, Code::unsupported) << garbage;
}

TEST_F(ScriptedServerTest, AConnectionIsUsedAgain) {
  std::jthread server([&] {
    Peer peer = listener_.accept();
    for (int i = 0; i < 3; ++i) {
      peer.hear("\r\n\r\n");
      peer.say(k_ok);
    }
  });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(text_of(client_->request({.method = "POST"})), "200 ok");
}

TEST_F(ScriptedServerTest, OneThatIsNotToBeKeptIsToldSo) {
  const auto client = *HttpClient::open({.base_url = concat("http://127.0.0.1:", listener_.port()), .most_idle = 0});
  std::vector<std::string> heads;
  std::jthread server([&] {
    for (int i = 0; i < 2; ++i) {
      Peer peer = listener_.accept();
      heads.push_back(peer.hear("\r\n\r\n"));
      peer.say(k_ok);
      EXPECT_EQ(peer.hear_all(), "") << "the client closes it, whatever the server would do";
    }
  });
  for (int i = 0; i < 2; ++i) EXPECT_EQ(text_of(client->request({})), "200 ok");
  server.join();
  const std::string expected =
      concat("GET / HTTP/1.1\r\nHost: 127.0.0.1:", listener_.port(), "\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(heads, std::vector(2, expected));
}

TEST_F(ScriptedServerTest, AConnectionThatWasClosedWhileIdleIsReplaced) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(text_of(ask(k_ok, {.method = "POST"})), "200 ok");
}

TEST_F(ScriptedServerTest, OnlyWhatMayBeRepeatedIsSentAgain) {
  // The server takes a second request, and goes without a word.
  const auto leave_the_second = [&] {
    Peer peer = listener_.accept();
    peer.hear("\r\n\r\n");
    peer.say(k_ok);
    peer.hear("\r\n\r\n");
  };
  {
    std::jthread server([&] {
      leave_the_second();
      Peer peer = listener_.accept();
      peer.hear("\r\n\r\n");
      peer.say(k_ok);
    });
    EXPECT_EQ(text_of(client_->request({})), "200 ok");
    EXPECT_EQ(text_of(client_->request({.method = "PUT"})), "200 ok");
  }
  std::jthread server(leave_the_second);
  EXPECT_EQ(text_of(client_->request({})), "200 ok");
  EXPECT_EQ(client_->request({.method = "POST"}).error().code, Code::unavailable);
}

TEST_F(ScriptedServerTest, ASlowServerIsWaitedForAsLongAsItSaysSomething) {
  const auto client = open(std::chrono::milliseconds(300));
  std::atomic<bool> is_given_up = false;
  std::jthread server([&] {
    Peer peer = listener_.accept();
    peer.hear("\r\n\r\n");
    peer.say("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
    peer.say("0123456789");
    is_given_up.wait(false);
  });
  const auto late = client->request({});
  is_given_up = true;
  is_given_up.notify_all();
  EXPECT_EQ(late.error().code, Code::unavailable);
  EXPECT_EQ(late.error().message, concat("127.0.0.1 port ", listener_.port(), " did not answer in time"));
}

TEST_F(ScriptedServerTest, WhatCannotBeSentIsNotSent) {
  for (const char* target : {"", "x", "http://other/", "/a b", "/a\r\nX: y"})
    EXPECT_EQ(client_->request({.target = target}).error().code, Code::invalid) << target;
  EXPECT_EQ(client_->request({.method = "GET /x"}).error().code, Code::invalid);
  EXPECT_EQ(client_->request({.headers = {{"A", "b\r\nC: d"}}}).error().code, Code::invalid);
  EXPECT_EQ(client_->request({.headers = {{"A: b", "c"}}}).error().code, Code::invalid);
}

TEST(HttpClient, TellsThatNobodyListens) {
  std::uint16_t port = 0;
  { port = Listener().port(); }
  const auto client = *HttpClient::open({.base_url = concat("http://127.0.0.1:", port)});
  const Error error = client->request({}).error();
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_EQ(error.message, concat("cannot connect to 127.0.0.1 port ", port, ": Connection refused"));
}

// What becomes of a request to a server with such a certificate.
Result<HttpAnswer> ask_over_tls(const TlsFiles& server_files, const std::string& authorities,
                                const std::string& host = "localhost") {
  const RunningServer server({.tls = server_files});
  const auto client = HttpClient::open(
      {.base_url = concat("https://", host, ":", server.port()), .certificate_authorities = authorities});
  if (!client) return client.error();
  return (*client)->request({.target = "/x"});
}

void expect_denied(const Result<HttpAnswer>& result, const std::string& cause) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::denied) << result.error().message;
  EXPECT_NE(result.error().message.find(cause), std::string::npos) << result.error().message;
  EXPECT_FALSE(result.error().hint.empty());
}

TEST(HttpClientTls, OnlyWhoIsTrustedIsAsked) {
  const CertificateFiles files;
  EXPECT_EQ(text_of(ask_over_tls(files.server(), files.authority())), "404 GET /x ");
  // The server's certificate itself will do.
  EXPECT_EQ(text_of(ask_over_tls(files.server(), files.server().certificate)), "404 GET /x ");
  expect_denied(ask_over_tls(files.server(), ""), "is not trusted: ");
  const CertificateFiles others;
  expect_denied(ask_over_tls(files.server(), others.authority()), "is not trusted: ");

  const CertificateFiles of_another({.names = "DNS:other.example, IP:127.0.0.2"});
  expect_denied(ask_over_tls(of_another.server(), of_another.authority()), "ostname mismatch");
  expect_denied(ask_over_tls(of_another.server(), of_another.authority(), "127.0.0.1"), "IP address mismatch");
  const CertificateFiles expired({.valid_for = -60});
  expect_denied(ask_over_tls(expired.server(), expired.authority()), "certificate has expired");
}

TEST(HttpClientTls, TheSystemsAuthoritiesMayBeElsewhere) {
  const CertificateFiles files;
  const os::ScopedVariable variable("SSL_CERT_FILE", files.authority().c_str());
  EXPECT_EQ(text_of(ask_over_tls(files.server(), "")), "404 GET /x ");
}

TEST(HttpClientTls, AFileWithoutCertificatesIsNamed) {
  const CertificateFiles files;
  for (const std::string& path : {files.server().key, files.directory() / "none.pem"}) {
    const auto client = HttpClient::open({.base_url = "https://localhost", .certificate_authorities = path});
    ASSERT_FALSE(client);
    EXPECT_NE(client.error().message.find(path), std::string::npos) << client.error().message;
  }
}

TEST(HttpClientTls, TellsWhereTlsIsNotSpoken) {
  const RunningServer server({});
  const auto client = *HttpClient::open({.base_url = concat("https://localhost:", server.port())});
  EXPECT_EQ(client->request({}).error().code, Code::unsupported);
  const CertificateFiles files;
  const RunningServer tls_server({.tls = files.server()});
  const auto plain = *HttpClient::open({.base_url = concat("http://localhost:", tls_server.port())});
  EXPECT_EQ(text_of(plain->request({})), "400 this server speaks HTTPS: use https://\n");
}

TEST(HttpClientTls, AHandshakeThatFailsIsAnError) {
  const Listener listener;
  const auto client = *HttpClient::open({.base_url = concat("https://127.0.0.1:", listener.port())});
  {
    std::jthread server([&] { (void)listener.accept(); });
    EXPECT_EQ(client->request({}).error().code, Code::unavailable);
  }
  std::jthread server([&] { listener.accept().say(std::string(10'000, 'x')); });
  EXPECT_EQ(client->request({}).error().code, Code::unsupported);
}

}  // namespace
}  // namespace studio::net
