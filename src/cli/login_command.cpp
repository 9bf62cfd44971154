// studio login, studio logout
#include <unistd.h>

#include <iostream>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/command.hpp"
#include "cli/credentials.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "net/api_client.hpp"
#include "os/terminal.hpp"

namespace studio::cli {

namespace {

// One line of standard input; without it being seen, on a terminal.
Result<std::string> read_token(Messages& messages) {
  const bool is_terminal = os::is_terminal(STDIN_FILENO);
  if (is_terminal) messages.report(engine::Severity::notice, "paste the token (it is not shown), then Enter:");
  const os::HiddenInput hidden(STDIN_FILENO);
  std::string line;
  std::getline(std::cin, line);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  if (!line.empty()) return line;
  return Error{Code::invalid, "no token was given", "studio login URL < FILE, where FILE holds the token"};
}

class Login : public Command {
 public:
  explicit Login(CLI::App& app) {
    add_argument(app, "URL", url_);
    add_footer(app,
               "Keeps a token for that server, read from standard input. Runs go there with database: {type: http, "
               "serverUrl: URL} in the configuration.");
  }

  std::string form() const override { return "studio login URL"; }

  Result<int> run(Context& context) override {
    const auto url = server_name(url_);
    if (!url) return usage_error(url.error().message, url.error().hint);
    TRY_ASSIGN(const std::string token, read_token(context.messages));
    const SystemClock clock;
    const net::ApiOptions options{
        .url = *url, .token = token, .certificate_authorities = context.config.server_certificate};
    const auto user = [&]() -> Result<std::string> {
      TRY_ASSIGN(const auto api, net::ApiClient::open(options, clock));
      TRY_ASSIGN(std::string name, user_of_server(*api));
      const std::string path = context.wiring.home().credentials();
      TRY_ASSIGN(Credentials credentials, load_credentials(path));
      credentials[*url] = {.user = name, .token = token};
      TRY(save_credentials(path, credentials));
      return name;
    }();
    if (!user) return no_usage_error(user.error());
    context.messages.report(engine::Severity::notice, concat("signed in to ", *url, " as ", printable(*user)));
    return k_exit_success;
  }

 private:
  std::string url_;
};

class Logout : public Command {
 public:
  explicit Logout(CLI::App& app) {
    add_argument(app, "URL", url_);
    add_footer(app, "Forgets the token. It stays valid: the server's page revokes it.");
  }

  std::string form() const override { return "studio logout URL"; }

  Result<int> run(Context& context) override {
    const auto url = server_name(url_);
    if (!url) return usage_error(url.error().message, url.error().hint);
    const std::string path = context.wiring.home().credentials();
    const auto forgotten = [&]() -> Result<void> {
      TRY_ASSIGN(Credentials credentials, load_credentials(path));
      if (credentials.erase(*url) == 0)
        return Error{Code::not_found, concat("there is no token for ", printable(*url))};
      return save_credentials(path, credentials);
    }();
    if (!forgotten) return no_usage_error(forgotten.error());
    context.messages.report(engine::Severity::notice, concat("signed out of ", *url));
    return k_exit_success;
  }

 private:
  std::string url_;
};

}  // namespace

void add_login_commands(CLI::App& root, CommandTable& commands) {
  CLI::App* login = add_subcommand(root, "login", "keep a token for a Studio server");
  commands.add(login, std::make_unique<Login>(*login));
  CLI::App* logout = add_subcommand(root, "logout", "forget the token for a Studio server");
  commands.add(logout, std::make_unique<Logout>(*logout));
}

}  // namespace studio::cli
