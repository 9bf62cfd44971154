#include "net/http_server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "net/certificate_testing.hpp"
#include "net/peer_testing.hpp"

namespace studio::net {
namespace {

// Something that another thread makes true.
class Flag {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    is_set_ = true;
    changed_.notify_all();
  }
  void reset() {
    const std::lock_guard lock(mutex_);
    is_set_ = false;
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_set_ = false;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void serve(HttpServer::Handler handler, HttpServerOptions options = {}) {
    auto server = HttpServer::listen(options, std::move(handler));
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    thread_ = std::jthread([this](std::stop_token stop) { server_->run(std::move(stop)); });
  }
  void stop() {
    thread_.request_stop();
    thread_.join();
  }
  Peer connect() { return Peer(server_->port()); }
  // The answer to one request on a connection of its own.
  std::string ask(std::string_view request) { return connect().ask(request); }

  std::unique_ptr<HttpServer> server_;
  std::jthread thread_;
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

std::string body_of(std::string_view answer) { return std::string(answer.substr(answer.find("\r\n\r\n") + 4)); }

void echo(HttpExchange& exchange) {
  const HttpRequest& request = exchange.request();
  const auto body = exchange.body(10);
  if (!body) return exchange.respond({500, {}, body.error().message});
  exchange.respond({200, {{"Content-Type", "text/plain"}}, request.method + " " + request.target + " " + *body});
}

TEST_F(HttpServerTest, AnswersRequestsOneAfterTheOther) {
  serve(echo);
  Peer peer = connect();
  peer.say("GET /one HTTP/1.1\r\nHost: a\r\n\r\n");
  std::string answer = peer.hear("GET /one ");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(has(answer, "Content-Length: 9\r\n"));
  EXPECT_TRUE(has(answer, "Date: "));
  // Two at once, and a body in pieces.
  peer.say("POST /two HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
  peer.say("loGET /three HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  answer = peer.hear_all();
  EXPECT_TRUE(has(answer, "POST /two hello")) << answer;
  EXPECT_TRUE(has(answer, "Connection: close"));
  EXPECT_TRUE(answer.ends_with("GET /three ")) << answer;
}

TEST_F(HttpServerTest, HeadGetsNoBody) {
  serve(echo);
  const std::string answer = ask("HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(has(answer, "Content-Length: 8\r\n")) << answer;
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(HttpServerTest, WaitsForAPeerThatAsksBeforeItSends) {
  serve(echo);
  Peer peer = connect();
  peer.say("PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(peer.hear("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  peer.say("hi");
  EXPECT_EQ(body_of(peer.hear_all()), "PUT /a hi");
}

TEST_F(HttpServerTest, RefusesWhatItCannotTake) {
  serve(echo);
  EXPECT_TRUE(ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n01234567890").starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(ask("nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n").starts_with("HTTP/1.1 431 "));
  EXPECT_EQ(body_of(ask("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0123456789")),
            "POST / 0123456789");
}

constexpr std::string_view k_chunked_head =
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST_F(HttpServerTest, ABodyMayComeInChunks) {
  serve(echo);
  const std::string head(k_chunked_head);
  EXPECT_EQ(body_of(ask(head + "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n")), "POST / abcdefg");
  EXPECT_EQ(body_of(ask(head + "0\r\n\r\n")), "POST / ");
  const std::string large = ask(head + "6\r\nabcdef\r\n5\r\nghijk\r\n0\r\n\r\n");
  EXPECT_TRUE(large.starts_with("HTTP/1.1 413 ")) << large;
  EXPECT_EQ(body_of(large), "the request's body is larger than 10 bytes");
  EXPECT_TRUE(ask(head + "x\r\nabc").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(ask(head + "3;" + std::string(300'000, 'x')).starts_with("HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, ALargeBodyIsTakenWhole) {
  std::string body;
  for (std::size_t i = 0; body.size() < 5'000'000; ++i) body += std::to_string(i);
  bool is_same = false;
  serve([&](HttpExchange& exchange) {
    const auto got = exchange.body(body.size());
    is_same = got && *got == body;
    exchange.respond({});
  });
  const std::string head = "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ";
  EXPECT_TRUE(ask(head + std::to_string(body.size()) + "\r\n\r\n" + body).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(is_same);
}

TEST_F(HttpServerTest, WhoIsRefusedByTheHeadIsNotAskedForTheBody) {
  serve([](HttpExchange& exchange) { exchange.respond({403, {}, "no"}); });
  const std::string answer = ask("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 ")) << answer;
  EXPECT_TRUE(has(answer, "Connection: close"));
  // Nor who would send too much.
  stop();
  serve(echo);
  EXPECT_TRUE(ask("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
                  .starts_with("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, WhoWasRefusedGetsToReadItWhileSending) {
  serve([](HttpExchange& exchange) { exchange.respond({403, {}, std::string(200'000, 'n')}); });
  const std::string body(800'000, 'b');
  const std::string answer = ask("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 800001\r\n\r\n" + body);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 "));
  EXPECT_EQ(body_of(answer).size(), 200'000u);
  // Not without an end.
  Peer peer = connect();
  peer.say("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  while (peer.say("4\r\nabcd\r\n")) {
  }
}

TEST_F(HttpServerTest, ABodyThatBreaksOffIsNone) {
  Flag ended;
  Code code = Code::internal;
  serve(
      [&](HttpExchange& exchange) {
        code = exchange.body(10).error().code;
        ended.set();
      },
      {.patience = std::chrono::seconds(1)});
  {
    const Peer peer = connect();
    peer.say("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
    peer.hang_up();
    ended.wait();
  }
  EXPECT_EQ(code, Code::cancelled);
  // Nor one that stops coming.
  ended.reset();
  code = Code::internal;
  const Peer peer = connect();
  peer.say("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
  ended.wait();
  EXPECT_EQ(code, Code::cancelled);
  stop();  // before what its handler refers to is gone
}

TEST_F(HttpServerTest, StoppingEndsTheWaitForABody) {
  Flag begun;
  Code code = Code::internal;
  serve([&](HttpExchange& exchange) {
    begun.set();
    code = exchange.body(10).error().code;
  });
  const Peer peer = connect();
  peer.say("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
  begun.wait();
  stop();
  EXPECT_EQ(code, Code::cancelled);
}

TEST_F(HttpServerTest, NoHeaderCanBeginAnother) {
  serve([](HttpExchange& exchange) {
    exchange.respond({200, {{"Good", "value"}, {"Bad", "value\r\nInjected: yes"}, {"Worse\r\n", "x"}}, "body"});
  });
  const std::string answer = ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(has(answer, "Good: value\r\n"));
  EXPECT_FALSE(has(answer, "Injected")) << answer;
  EXPECT_FALSE(has(answer, "Worse"));
}

TEST_F(HttpServerTest, AHandlerThatSaysNothingOrThrowsIsAFailure) {
  serve([](HttpExchange& exchange) {
    if (exchange.request().target == "/throw") throw std::bad_alloc();
  });
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(ask("GET /throw HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 500 "));
}

TEST_F(HttpServerTest, ABodyOfUnknownLengthComesInChunks) {
  const std::string part(100'000, 'p');
  serve([&](HttpExchange& exchange) {
    ASSERT_TRUE(exchange.begin({}, std::nullopt));
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(exchange.write(as_bytes(part)));
    if (exchange.request().target == "/whole") exchange.finish();
  });
  const std::string whole = ask("GET /whole HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(has(whole, "Transfer-Encoding: chunked\r\n"));
  EXPECT_TRUE(whole.ends_with("\r\n0\r\n\r\n"));
  EXPECT_EQ(std::count(whole.begin(), whole.end(), 'p'), 1'000'000);
  // What was not finished does not look as if it were.
  EXPECT_FALSE(ask("GET /part HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("\r\n0\r\n\r\n"));
  // HTTP/1.0 knows no chunks.
  const std::string old = ask("GET /whole HTTP/1.0\r\n\r\n");
  EXPECT_FALSE(has(old, "chunked"));
  EXPECT_EQ(body_of(old).size(), 1'000'000u);
}

TEST_F(HttpServerTest, ABodyIsNeverLongerThanItsHeadSays) {
  serve([](HttpExchange& exchange) {
    ASSERT_TRUE(exchange.begin({}, 3));
    EXPECT_TRUE(exchange.write(as_bytes(std::string_view("ab"))));
    EXPECT_EQ(exchange.write(as_bytes(std::string_view("cd"))).error().code, Code::internal);
    exchange.finish();
  });
  EXPECT_EQ(body_of(ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n")), "ab");
}

TEST_F(HttpServerTest, APeerThatGoesAwayEndsTheDownload) {
  Flag ended;
  Code code = Code::internal;
  serve([&](HttpExchange& exchange) {
    ASSERT_TRUE(exchange.begin({}, std::nullopt));
    const std::string part(1 << 20, 'p');
    while (true) {
      const auto written = exchange.write(as_bytes(part));
      if (written) continue;
      code = written.error().code;
      return ended.set();
    }
  });
  Peer peer = connect();
  peer.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  peer.hear("ppp");
  peer.hang_up();
  ended.wait();
  EXPECT_EQ(code, Code::cancelled);
}

TEST_F(HttpServerTest, EventsGoOutAsTheyCome) {
  std::shared_ptr<EventStream> stream;
  Flag begun;
  serve([&](HttpExchange& exchange) {
    stream = exchange.stream({200, {{"Content-Type", "text/event-stream"}}, {}});
    begun.set();
  });
  Peer peer = connect();
  peer.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  begun.wait();
  EXPECT_TRUE(has(peer.hear("\r\n\r\n"), "Connection: close"));
  for (int i = 0; i < 100; ++i) {
    stream->send("data: " + std::to_string(i) + "\n\n");
    EXPECT_EQ(peer.hear("\n\n"), "data: " + std::to_string(i) + "\n\n");
  }
  EXPECT_TRUE(stream->is_open());
  stream->send("last");
  stream.reset();
  EXPECT_EQ(peer.hear_all(), "last");
}

TEST_F(HttpServerTest, AStreamKnowsWhenItsPeerIsGone) {
  std::shared_ptr<EventStream> stream;
  Flag begun;
  serve([&](HttpExchange& exchange) {
    stream = exchange.stream({});
    begun.set();
  });
  Peer peer = connect();
  peer.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  begun.wait();
  peer.hear("\r\n\r\n");
  peer.hang_up();
  while (stream->is_open()) std::this_thread::yield();
  stream->send("nobody hears it");
}

TEST_F(HttpServerTest, WhatASlowViewerHasNotTakenIsKnown) {
  std::shared_ptr<EventStream> stream;
  Flag begun;
  serve([&](HttpExchange& exchange) {
    stream = exchange.stream({});
    begun.set();
  });
  Peer peer = connect();
  peer.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  begun.wait();
  constexpr std::size_t k_much = 64 << 20;  // more than a socket holds
  stream->send(std::string(k_much, 's'));
  EXPECT_GT(stream->pending(), 0u);
  peer.hear("\r\n\r\n");
  stream.reset();  // sends all the same
  EXPECT_EQ(peer.hear_all().size(), k_much);
}

TEST_F(HttpServerTest, TooManyRequestsAtOnceAreTurnedAway) {
  Flag go_on;
  serve(
      [&](HttpExchange& exchange) {
        go_on.wait();
        exchange.respond({});
      },
      {.threads = 1, .most_waiting = 1});
  // One is answered, one waits; the third is one too many. Which is which depends on who is faster.
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(std::make_unique<Peer>(server_->port()));
    peers.back()->say("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  }
  std::vector<std::string> answers(3);
  std::vector<std::jthread> listeners;
  std::mutex mutex;
  int refused = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    listeners.emplace_back([&, i] {
      const std::string answer = peers[i]->hear_all();
      const std::lock_guard lock(mutex);
      if (answer.starts_with("HTTP/1.1 503 ")) {
        ++refused;
        go_on.set();
      }
    });
  }
  listeners.clear();
  EXPECT_EQ(refused, 1);
}

TEST_F(HttpServerTest, StoppingEndsWhoeverIsConnected) {
  std::shared_ptr<EventStream> stream;
  Flag begun;
  serve([&](HttpExchange& exchange) {
    stream = exchange.stream({});
    begun.set();
  });
  Peer idle = connect();
  Peer viewer = connect();
  viewer.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  begun.wait();
  stop();
  viewer.hear_all();
  idle.hear_all();
  EXPECT_FALSE(stream->is_open());
  stream.reset();
}

TEST_F(HttpServerTest, APortThatIsTakenIsAnError) {
  serve(echo);
  const auto second = HttpServer::listen({.port = server_->port()}, echo);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::already_exists);
  EXPECT_EQ(HttpServer::listen({.address = "203.0.113.1"}, echo).error().code, Code::invalid);
}

TEST_F(HttpServerTest, ServesIpv6) {
  serve(echo, {.address = "::1"});
  EXPECT_EQ(body_of(Peer(server_->port(), AF_INET6).ask("GET / HTTP/1.0\r\n\r\n")), "GET / ");
  stop();
  serve(echo, {.address = "::"});
  EXPECT_EQ(body_of(Peer(server_->port(), AF_INET6).ask("GET / HTTP/1.0\r\n\r\n")), "GET / ");
  EXPECT_EQ(body_of(ask("GET / HTTP/1.0\r\n\r\n")), "GET / ");
}

TEST_F(HttpServerTest, TellsWhoForgotTheSOfHttps) {
  const testing::CertificateFiles files;
  serve(echo, {.tls = files.server()});
  EXPECT_TRUE(server_->is_tls());
  const std::string answer = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_EQ(body_of(answer), "this server speaks HTTPS: use https://\n");
  EXPECT_FALSE(has(ask("neither this nor that"), "HTTP"));
}

TEST_F(HttpServerTest, APeerThatDoesNotShakeHandsIsGivenUp) {
  const testing::CertificateFiles files;
  serve(echo, {.tls = files.server(), .patience = std::chrono::seconds(1)});
  EXPECT_EQ(connect().hear_all(), "");
}

TEST_F(HttpServerTest, ErrorsOfTheFilesOfTlsNameThem) {
  const testing::CertificateFiles files;
  const testing::CertificateFiles others;
  const auto message_of = [](const std::string& certificate, const std::string& key) {
    const auto server = HttpServer::listen({.tls = TlsFiles{certificate, key}}, echo);
    return server ? std::string() : server.error().message;
  };
  const auto& [certificate, key] = files.server();
  const std::string none = files.directory() / "none.pem";
  const std::string garbage = files.directory().write("garbage.pem", "no PEM");
  const std::string locked = files.directory().write("locked.key", testing::pem_of(testing::make_key(), "passphrase"));
  EXPECT_EQ(message_of(certificate, key), "");
  EXPECT_TRUE(has(message_of(none, key), "none.pem"));
  EXPECT_TRUE(has(message_of(certificate, none), "none.pem"));
  EXPECT_TRUE(has(message_of(garbage, key), "garbage.pem' holds no certificate"));
  EXPECT_TRUE(has(message_of(certificate, garbage), "garbage.pem' holds no private key"));
  EXPECT_TRUE(has(message_of(certificate, certificate), "server.pem' holds no private key"));
  EXPECT_TRUE(has(message_of(certificate, locked), "locked.key' holds no private key"));
  EXPECT_TRUE(has(message_of(certificate, others.server().key), "is not that of the certificate in"));
}

}  // namespace
}  // namespace studio::net
