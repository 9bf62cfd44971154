// The Studio server: the API of doc/openapi.yaml over a catalog and a repository.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "server/backend.hpp"
#include "server/experiment_index.hpp"
#include "server/guard.hpp"
#include "server/live_output.hpp"
#include "server/live_streams.hpp"
#include "server/router.hpp"
#include "server/tensorboards.hpp"

namespace studio::server {

struct ServerOptions {
  std::uint16_t port = 5000;  // on loopback; 0: any that is free
};

class Server {
 public:
  // Requests are answered when run() is called. `already_exists` if the port is taken.
  static Result<std::unique_ptr<Server>> listen(const ServerOptions& options, Backend backend);

  std::string url() const;
  const Router& router() const { return router_; }
  const std::string& token() const { return guard_.token; }
  // Until a stop is requested.
  void run(std::stop_token stop);

 private:
  explicit Server(Backend backend);
  void answer(net::HttpExchange& exchange);
  Result<void> dispatch(net::HttpExchange& exchange, Access& access);

  const Backend backend_;
  GuardOptions guard_;
  std::unique_ptr<net::HttpServer> http_;  // outlives the streams of its connections
  ExperimentIndex index_;
  LiveOutput live_output_;
  LiveStreams live_experiments_;
  TensorBoards boards_;
  Router router_;
};

}  // namespace studio::server
