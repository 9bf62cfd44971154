// studio server
#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/command.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "cli/serving.hpp"
#include "os/paths.hpp"
#include "server/account_file.hpp"

namespace studio::cli {

namespace {

class ServerCommand : public Command {
 public:
  explicit ServerCommand(CLI::App& app) {
    add_value(app, "--address", "ADDRESS", address_, "the address of this machine to listen on; 0.0.0.0 for all");
    add_value(app, "--port", "N", port_, "the port; 0 for any that is free");
    urls_ =
        add_list(app, "--url", "URL", "the address of a proxy in front that changes the Host of requests; repeatable");
    add_value(app, "--certificate", "FILE", certificate_, "serve HTTPS with this certificate and its chain (PEM)");
    add_value(app, "--key", "FILE", key_, "the key of the certificate (PEM)");
    add_switch(app, "--plain-http", plain_http_, "no HTTPS, although others may listen: a proxy in front does it");
    add_footer(app,
               "Serves a team: the page, and the API that Studios on other machines use in place of a store and a "
               "database of their own. Whoever asks shows a token: studio server user add NAME makes the first.");
  }

  std::string form() const override { return "studio server [FLAGS]"; }

  Result<int> run(Context& context) override {
    server::AccountFile accounts(context.wiring.home().accounts());
    TRY_ASSIGN(server::ServerOptions options, options_of());
    const auto known = accounts.read();
    if (!known) return no_usage_error(known.error());
    if ((*known)->users.empty())
      return no_usage_error(Error{Code::invalid, "the server knows no user: nobody could ask it anything",
                                  "studio server user add NAME --admin"});
    options.accounts = &accounts;
    return serve(context, options);
  }

 private:
  Result<server::ServerOptions> options_of() const {
    const auto port = parse_port(port_);
    if (!port) return usage_error(concat("--port: '", printable(port_), "' is not a port"), "--port 5000");
    if (certificate_.empty() != key_.empty())
      return usage_error("--certificate and --key belong together", "--certificate FILE --key FILE");
    if (certificate_.empty() && !plain_http_ && !server::is_loopback(address_))
      return usage_error(concat("--address: on ", printable(address_), " tokens would travel unencrypted"),
                         "--certificate FILE --key FILE, or --plain-http behind a proxy that encrypts");
    server::ServerOptions options{.address = address_, .port = *port, .urls = given(*urls_)};
    if (!certificate_.empty()) {
      options.tls.emplace();
      TRY_ASSIGN(options.tls->certificate, os::resolve(certificate_));
      TRY_ASSIGN(options.tls->key, os::resolve(key_));
    }
    return options;
  }

  std::string address_ = "127.0.0.1";
  std::string port_ = "5000";
  const CLI::Option* urls_;
  std::string certificate_;
  std::string key_;
  bool plain_http_ = false;
};

}  // namespace

void add_server_commands(CLI::App& root, CommandTable& commands) {
  CLI::App* app = add_subcommand(root, "server", "serve experiments to a team, each of whom shows a token");
  commands.add(app, std::make_unique<ServerCommand>(*app));
  add_account_commands(*app, commands);
}

}  // namespace studio::cli
