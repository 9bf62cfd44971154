// An answer of many JSON documents, one to a line (application/x-ndjson), sent as they come.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/http_server.hpp"

namespace studio::server {

// Used by the handler's thread. An error, and a value that goes without finish(), leave the answer broken off, which
// tells the peer that it is not whole; before the first flush they leave no answer at all.
class JsonLines {
 public:
  // The exchange outlives it.
  explicit JsonLines(net::HttpExchange& exchange) : exchange_(exchange) {}

  Result<void> add(std::string_view line);  // without a line break
  Result<void> finish();

 private:
  Result<void> flush();

  net::HttpExchange& exchange_;
  std::string text_;
  bool is_begun_ = false;
};

}  // namespace studio::server
