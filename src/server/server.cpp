#include "server/server.hpp"

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/studio_version.hpp"
#include "server/answer.hpp"
#include "server/chart_routes.hpp"
#include "server/checkpoint_routes.hpp"
#include "server/content_routes.hpp"
#include "server/experiment_routes.hpp"
#include "server/output_routes.hpp"
#include "server/page_routes.hpp"
#include "server/tensorboard_routes.hpp"

namespace studio::server {

namespace {

// A line of output is to be seen 200 ms after it was written.
constexpr std::chrono::milliseconds k_look_at_output{50};
constexpr std::chrono::milliseconds k_look_at_experiments{250};

}  // namespace

Server::Server(Backend backend)
    : backend_(std::move(backend)),
      index_(backend_.catalog),
      live_output_(k_look_at_output),
      // A catalog that cannot be asked now is asked again.
      live_experiments_(k_look_at_experiments, [this] { (void)index_.refresh(); }),
      boards_(backend_.repository.chunks(),
              {.directory = backend_.board_directory, .search = backend_.program_search}) {
  router_.add({"GET", "/api/v1/session", Access::read, [this](Call& call) -> Result<void> {
                 answer_json(call, {{"version", k_studio_version}, {"token", guard_.token}});
                 return {};
               }});
  add_experiment_routes(router_, backend_, index_, live_experiments_);
  add_content_routes(router_, backend_);
  add_output_routes(router_, backend_, live_output_);
  add_chart_routes(router_, backend_);
  add_checkpoint_routes(router_, backend_);
  add_tensorboard_routes(router_, backend_, boards_);
}

Result<std::unique_ptr<Server>> Server::listen(const ServerOptions& options, Backend backend) {
  std::unique_ptr<Server> server(new Server(std::move(backend)));
  TRY(add_page_routes(server->router_));
  TRY_ASSIGN(server->guard_.token, make_token());
  TRY_ASSIGN(server->http_,
             net::HttpServer::listen({.address = "127.0.0.1", .port = options.port},
                                     [self = server.get()](net::HttpExchange& exchange) { self->answer(exchange); }));
  server->guard_.hosts = loopback_hosts(server->http_->port());
  return server;
}

std::string Server::url() const { return concat("http://127.0.0.1:", http_->port(), "/"); }

void Server::run(std::stop_token stop) {
  // Handlers that wait for what a TensorBoard says are not waited for.
  const std::stop_callback end(stop, [this] { boards_.close(); });
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
  TRY(check_request(request, access, guard_));
  if (!match && match.error().code == Code::unsupported) {
    net::HttpResponse refusal = error_response({Code::unsupported, match.error().message}, access);
    refusal.status = 405;
    refusal.headers.emplace_back("Allow", match.error().hint);
    exchange.respond(std::move(refusal));
    return {};
  }
  if (!match) return match.error();
  Call call{exchange, *target, match->names};
  return match->route->handler(call);
}

}  // namespace studio::server
