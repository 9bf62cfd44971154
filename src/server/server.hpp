// The Studio server: the API of doc/openapi.yaml over a catalog and a repository.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "net/http_server.hpp"
#include "server/account_file.hpp"
#include "server/backend.hpp"
#include "server/experiment_index.hpp"
#include "server/guard.hpp"
#include "server/live_output.hpp"
#include "server/live_streams.hpp"
#include "server/router.hpp"
#include "server/tensorboards.hpp"

namespace studio::server {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 5000;              // 0: any that is free
  std::vector<std::string> urls = {};     // further ones that lead here: "https://studio.example.org"
  std::optional<net::TlsFiles> tls = {};  // HTTPS
  // Who may ask for what. Null: everything for everyone, which is `invalid` but on loopback.
  AccountFile* accounts = nullptr;
};

// Whether nobody but this machine reaches what listens on the address.
bool is_loopback(std::string_view address);

class Server {
 public:
  // Requests are answered when run() is called. `already_exists` if the port is taken. The accounts outlive it.
  static Result<std::unique_ptr<Server>> listen(const ServerOptions& options, Backend backend);

  std::string url() const;
  const Router& router() const { return router_; }
  // Of changes, where there are no accounts.
  const std::string& token() const { return guard_->options().token; }
  // Until a stop is requested.
  void run(std::stop_token stop);

 private:
  Server(const ServerOptions& options, Backend backend);
  void add_routes();
  Result<void> add_names(const ServerOptions& options, Guard::Options& guard) const;
  void answer(net::HttpExchange& exchange);
  Result<void> dispatch(net::HttpExchange& exchange, Access& access);

  const Backend backend_;
  const std::string host_;  // as it is written in a URL
  std::unique_ptr<const Guard> guard_;
  std::unique_ptr<net::HttpServer> http_;  // outlives the streams of its connections
  ExperimentIndex index_;
  LiveOutput live_output_;
  LiveStreams live_experiments_;
  TensorBoards boards_;
  Router router_;
};

}  // namespace studio::server
