// A Studio server as other Studios ask it (doc/openapi.yaml).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/http_client.hpp"

namespace studio::net {

struct ApiOptions {
  std::string url;    // "https://studio.example.org", with a path in front of /api/v1 if there is one
  std::string token;  // empty: none is shown
  std::string certificate_authorities =
      {};         // a PEM file of what is trusted beside what the system trusts; may be empty
  int tries = 6;  // of a call that the server could not be asked, or that it could not answer now
};

struct ApiCall {
  std::string method;
  std::string target;  // "/api/v1/…"
  Headers headers = {};
  std::span<const ByteView> body = {};
};

struct ApiAnswer {
  // Or the server's own error if it refuses; `unavailable` if it cannot be asked, or says that it cannot now.
  Result<Bytes> body;
  // An earlier try may have been carried out, though its answer was lost.
  bool was_repeated = false;
};

// Thread-safe; calls block.
class ApiClient {
 public:
  // `invalid` if the URL is none.
  static Result<std::unique_ptr<ApiClient>> open(const ApiOptions& options, const Clock& clock);

  // Tries again what is `unavailable`, after more time each time.
  ApiAnswer call(const ApiCall& call);

 private:
  ApiClient(const ApiOptions& options, const Clock& clock, std::unique_ptr<HttpClient> http)
      : options_(options), clock_(clock), http_(std::move(http)) {}
  Result<Bytes> try_once(const ApiCall& call);

  const ApiOptions options_;
  const Clock& clock_;
  const std::unique_ptr<HttpClient> http_;
};

}  // namespace studio::net
