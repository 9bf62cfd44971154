// Asks a program that listens on this machine (HTTP/1.1, RFC 9112, over Boost.Beast): the other half of a reverse
// proxy.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "net/http_server.hpp"

namespace studio::net {

struct LoopbackOptions {
  std::uint16_t port = 0;             // of 127.0.0.1
  std::chrono::seconds patience{60};  // with a peer that sends or takes nothing
};

// Takes an answer as it comes. An error ends the exchange and is returned.
struct AnswerSink {
  // The head: `body` is empty. `length`: of the body, in bytes, if the peer tells it.
  std::function<Result<void>(const HttpResponse& head, std::optional<std::uint64_t> length)> head;
  std::function<Result<void>(ByteView)> body;
};

// Sends the request as it is, with `Host`, a body and its length, on a connection of its own, and waits for the
// whole answer in the calling thread. `unavailable` if nobody listens, the peer is silent for too long, or breaks off;
// what it says is `corrupt` if it is no HTTP. Thread-safe.
Result<void> ask_loopback(const LoopbackOptions& options, const HttpRequest& request, std::string body,
                          const AnswerSink& sink);

}  // namespace studio::net
