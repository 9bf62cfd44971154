#include "net/loopback_client.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "base/concat.hpp"

namespace studio::net {
namespace {

struct Answer {
  Result<void> outcome;
  HttpResponse head;
  std::optional<std::uint64_t> length;
  std::string body;
};

class LoopbackClientTest : public testing::Test {
 protected:
  void serve(HttpServer::Handler handler) {
    server_ = HttpServer::listen({.threads = 2, .patience = std::chrono::seconds(60)}, std::move(handler)).value();
    thread_ = std::jthread([this](std::stop_token stop) { server_->run(std::move(stop)); });
  }

  Answer ask(const HttpRequest& request, const std::string& body = "") const {
    Answer answer;
    answer.outcome = ask_loopback({.port = server_->port()}, request, body,
                                  {.head = [&](const HttpResponse& head, auto length) -> Result<void> {
                                     answer.head = head;
                                     answer.length = length;
                                     return {};
                                   },
                                   .body = [&](ByteView bytes) -> Result<void> {
                                     answer.body += as_text(bytes);
                                     return {};
                                   }});
    return answer;
  }

  std::unique_ptr<HttpServer> server_;
  std::jthread thread_;
};

TEST_F(LoopbackClientTest, HandsOnTheRequestAndTheAnswer) {
  serve([](HttpExchange& exchange) {
    const HttpRequest& request = exchange.request();
    exchange.respond({.status = 404,
                      .headers = {{"X-Told", std::string(request.header("X-Asked"))}},
                      .body = concat(request.method, " ", request.target, " ", exchange.body(100).value_or("none"))});
  });
  const Answer answer = ask({"POST", "/a%20b?c=%2F", {{"X-Asked", "yes"}}}, "the body");
  ASSERT_TRUE(answer.outcome) << answer.outcome.error().message;
  EXPECT_EQ(answer.head.status, 404u);
  EXPECT_EQ(answer.body, "POST /a%20b?c=%2F the body");
  EXPECT_EQ(answer.length, answer.body.size());
  bool told = false;
  for (const auto& [name, value] : answer.head.headers) told = told || (name == "X-Told" && value == "yes");
  EXPECT_TRUE(told);
  const Answer head = ask({"HEAD", "/", {}});
  ASSERT_TRUE(head.outcome) << head.outcome.error().message;
  EXPECT_EQ(head.length, 7u);
  EXPECT_EQ(head.body, "");
}

TEST_F(LoopbackClientTest, TakesABodyOfAnyLengthInPieces) {
  const Bytes part(100'000, std::byte{'x'});
  serve([&](HttpExchange& exchange) {
    ASSERT_TRUE(exchange.begin({}, std::nullopt));
    for (int i = 0; i < 30; ++i) ASSERT_TRUE(exchange.write(part));
    exchange.finish();
  });
  const Answer answer = ask({"GET", "/", {}}, "");
  ASSERT_TRUE(answer.outcome) << answer.outcome.error().message;
  EXPECT_EQ(answer.length, std::nullopt);
  EXPECT_EQ(answer.body, std::string(30 * part.size(), 'x'));
}

TEST_F(LoopbackClientTest, TellsAnAnswerThatBreaksOff) {
  serve([](HttpExchange& exchange) {
    ASSERT_TRUE(exchange.begin({}, 10));
    ASSERT_TRUE(exchange.write(as_bytes("half")));
  });
  const Answer answer = ask({"GET", "/", {}}, "");
  ASSERT_FALSE(answer.outcome);
  EXPECT_EQ(answer.outcome.error().code, Code::unavailable);
  EXPECT_EQ(answer.body, "half");
}

TEST_F(LoopbackClientTest, EndsWhenTheTakerHasHadEnough) {
  serve([](HttpExchange& exchange) { exchange.respond({.body = "text"}); });
  const auto outcome = ask_loopback({.port = server_->port()}, {"GET", "/", {}}, "",
                                    {.head = [](const HttpResponse&, auto) -> Result<void> { return {}; },
                                     .body = [](ByteView) -> Result<void> {
                                       return Error{Code::cancelled, "enough"};
                                     }});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::cancelled);
}

TEST_F(LoopbackClientTest, SaysThatNobodyListens) {
  serve([](HttpExchange&) {});
  const std::uint16_t port = server_->port();
  thread_ = {};
  server_.reset();
  const auto outcome = ask_loopback({.port = port}, {"GET", "/", {}}, "", {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::unavailable);
}

}  // namespace
}  // namespace studio::net
