#include "server/server.hpp"

#include <thread>

#include "base/concat.hpp"
#include "net/url.hpp"
#include "server/account_routes.hpp"
#include "server/answer.hpp"
#include "server/blob_routes.hpp"
#include "server/chart_routes.hpp"
#include "server/checkpoint_routes.hpp"
#include "server/content_routes.hpp"
#include "server/experiment_routes.hpp"
#include "server/live_file_routes.hpp"
#include "server/output_routes.hpp"
#include "server/page_routes.hpp"
#include "server/record_routes.hpp"
#include "server/secret.hpp"
#include "server/session_routes.hpp"
#include "server/tensorboard_routes.hpp"

namespace studio::server {

namespace {

// A line of output is to be seen 200 ms after it was written.
constexpr std::chrono::milliseconds k_look_at_output{50};
constexpr std::chrono::milliseconds k_look_at_experiments{250};

}  // namespace

bool is_loopback(std::string_view address) { return address == "127.0.0.1" || address == "::1"; }

Server::Server(const ServerOptions& options, Backend backend)
    : backend_(std::move(backend)),
      host_(options.address.find(':') == std::string::npos ? options.address : concat("[", options.address, "]")),
      index_(backend_.catalog),
      live_output_(k_look_at_output),
      // A catalog that cannot be asked now is asked again.
      live_experiments_(k_look_at_experiments, [this] { (void)index_.refresh(); }),
      boards_(backend_.repository.chunks(),
              {.directory = backend_.board_directory, .search = backend_.program_search}) {}

void Server::add_routes() {
  add_session_routes(router_, *guard_, backend_.clock, http_->is_tls());
  add_account_routes(router_, *guard_, backend_, index_);
  add_experiment_routes(router_, backend_, index_, live_experiments_);
  add_content_routes(router_, backend_, index_);
  add_output_routes(router_, backend_, live_output_);
  add_chart_routes(router_, backend_);
  add_checkpoint_routes(router_, backend_);
  add_record_routes(router_, backend_);
  add_live_file_routes(router_, backend_);
  add_blob_routes(router_, backend_);
  add_tensorboard_routes(router_, backend_, boards_);
}

Result<std::unique_ptr<Server>> Server::listen(const ServerOptions& options, Backend backend) {
  if (options.accounts == nullptr && !is_loopback(options.address))
    return Error{Code::invalid, concat("a server on ", options.address, " would let everyone in who reaches it"),
                 "give it accounts: studio server"};
  std::unique_ptr<Server> server(new Server(options, std::move(backend)));
  TRY_ASSIGN(server->http_,
             net::HttpServer::listen({.address = options.address, .port = options.port, .tls = options.tls},
                                     [self = server.get()](net::HttpExchange& exchange) { self->answer(exchange); }));
  Guard::Options guard{.hosts = {}, .origins = {}, .token = {}, .accounts = options.accounts};
  TRY_ASSIGN(guard.token, make_secret());
  TRY(server->add_names(options, guard));
  server->guard_ = std::make_unique<const Guard>(std::move(guard));
  TRY(add_page_routes(server->router_));
  server->add_routes();
  return server;
}

// Those by which a browser may know this server. It leaves the port out where it is the usual one.
Result<void> Server::add_names(const ServerOptions& options, Guard::Options& guard) const {
  const auto add = [&](bool is_tls, std::string host) {
    guard.origins.push_back(concat(is_tls ? "https://" : "http://", host));
    guard.hosts.push_back(std::move(host));
  };
  const std::uint16_t port = http_->port();
  std::vector<std::string> names{host_};
  if (is_loopback(options.address)) names = {"127.0.0.1", "localhost", "[::1]"};
  for (const std::string& name : names) {
    add(http_->is_tls(), concat(name, ":", port));
    if (port == (http_->is_tls() ? 443 : 80)) add(http_->is_tls(), name);
  }
  for (const std::string& text : options.urls) {
    TRY_ASSIGN(const net::Url url, net::parse_url(text));
    add(url.is_tls, url.authority());
  }
  return {};
}

std::string Server::url() const {
  return concat(http_->is_tls() ? "https" : "http", "://", host_, ":", http_->port(), "/");
}

void Server::run(std::stop_token stop) {
  // Handlers that wait for what a TensorBoard says are not waited for.
  const std::stop_callback end(stop, [this] { boards_.close(); });
  // Reading all experiments takes a second where there are many: nobody shall wait for it who comes later than that.
  // Whoever comes earlier waits for the rest; what fails is told to whoever asks.
  const std::jthread first_reading([this] { (void)index_.refresh(); });
  http_->run(std::move(stop));
}

void Server::answer(net::HttpExchange& exchange) {
  auto access = Access::read;
  const auto done = dispatch(exchange, access);
  // Of an answer that was begun the connection tells that it is not whole.
  if (!done) exchange.respond(error_response(done.error(), access));
}

Result<void> Server::dispatch(net::HttpExchange& exchange, Access& access) {
  const net::HttpRequest& request = exchange.request();
  const auto target = net::parse_target(request.target);
  const auto match = target ? router_.match(request.method, target->path) : Result<Router::Match>(target.error());
  if (match) access = match->route->access;
  TRY(guard_->check_origin(request, access));
  TRY_ASSIGN(const Identity identity, guard_->identify(request, backend_.clock.now()));
  TRY(Guard::check_access(request, identity, access));
  if (!match && match.error().code == Code::unsupported) {
    net::HttpResponse refusal = error_response({Code::unsupported, match.error().message}, access);
    refusal.status = 405;
    refusal.headers.emplace_back("Allow", match.error().hint);
    exchange.respond(std::move(refusal));
    return {};
  }
  if (!match) return match.error();
  if (const auto key = match->names.find("key"); key != match->names.end())
    TRY(Guard::check_experiment(backend_.catalog, identity, access, key->second));
  Call call{exchange, *target, match->names, identity};
  return match->route->handler(call);
}

}  // namespace studio::server
