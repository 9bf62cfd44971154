// studio server user, studio server token, studio server project
#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/duration.hpp"
#include "cli/command.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "cli/format.hpp"
#include "cli/table.hpp"
#include "server/account_file.hpp"
#include "server/account_json.hpp"

namespace studio::cli {

namespace {

using server::Accounts;

// The accounts of the server that has this home. An error of the command line is one of what was asked for.
class AccountCommand : public Command {
 protected:
  static server::AccountFile accounts(Context& context) {
    return server::AccountFile(context.wiring.home().accounts());
  }
  static WallTime now() { return SystemClock().now(); }
  static void notice(Context& context, const std::string& text) {
    context.messages.report(engine::Severity::notice, text);
  }
};

// Flags of commands that make a token.
struct TokenFlags {
  std::string scope = "write";
  std::string expires;
  std::string note;

  void add_to(CLI::App& app) {
    add_value(app, "--scope", "SCOPE", scope, "what the token may do: read, work, write or admin");
    add_value(app, "--expires", "DURATION", expires, "how long it is valid: 90d; without it, until it is revoked");
    add_value(app, "--note", "TEXT", note, "what it is for");
  }

  Result<server::TokenRequest> request(std::string user) const {
    server::TokenRequest request{.user = std::move(user), .note = note};
    const auto parsed = server::parse_scope(scope);
    if (!parsed)
      return usage_error(concat("--scope: '", printable(scope), "' is no scope"), "read, work, write or admin");
    request.scope = *parsed;
    if (expires.empty()) return request;
    auto duration = parse_duration(expires);
    if (!duration) return within("--expires", duration.error());
    request.expires = SystemClock().now() + *duration;
    return request;
  }
};

// The token is all that goes to standard output.
Result<void> show_token(Context& context, const server::IssuedToken& token) {
  context.messages.report(engine::Severity::notice,
                          concat("token ", token.id, ", shown this once: give it to 'studio login', or to the page"));
  return context.output.write(concat(token.text, "\n"));
}

class UserAdd : public AccountCommand {
 public:
  explicit UserAdd(CLI::App& app) {
    add_argument(app, "NAME", name_);
    add_switch(app, "--admin", is_admin_, "may do everything, also to what belongs to others");
    token_.add_to(app);
    add_footer(app, "Prints a first token for the user. Of an admin it has the scope admin, unless --scope says else.");
  }
  std::string form() const override { return "studio server user add NAME [--admin] [FLAGS]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(server::TokenRequest request, token_.request(name_));
    if (is_admin_ && token_.scope == TokenFlags().scope) request.scope = server::Scope::admin;
    auto file = accounts(context);
    server::IssuedToken token;
    const auto made = file.change([&](Accounts& all) -> Result<void> {
      TRY(server::add_user(all, name_, is_admin_, now()));
      TRY_ASSIGN(token, server::issue_token(all, request, now()));
      return {};
    });
    if (!made) return made.error();
    TRY(show_token(context, token));
    return k_exit_success;
  }

 private:
  std::string name_;
  bool is_admin_ = false;
  TokenFlags token_;
};

class UserRemove : public AccountCommand {
 public:
  explicit UserRemove(CLI::App& app) {
    add_argument(app, "NAME", name_);
    add_footer(app, "With all tokens of the user. What the user ran stays, and is an admin's to change.");
  }
  std::string form() const override { return "studio server user remove NAME"; }

  Result<int> run(Context& context) override {
    auto file = accounts(context);
    TRY(file.change([&](Accounts& all) { return server::remove_user(all, name_); }));
    notice(context, concat("user ", name_, " was removed"));
    return k_exit_success;
  }

 private:
  std::string name_;
};

class UserList : public AccountCommand {
 public:
  explicit UserList(CLI::App& app) { add_switch(app, "--json", json_, "print JSON"); }
  std::string form() const override { return "studio server user list [--json]"; }

  Result<int> run(Context& context) override {
    auto file = accounts(context);
    TRY_ASSIGN(const auto all, file.read());
    auto users = nlohmann::ordered_json::array();
    Table table({{"NAME"}, {"ADMIN"}, {"CREATED (UTC)"}, {"TOKENS", Align::right}});
    for (const auto& [name, user] : all->users) {
      const auto tokens = std::count_if(all->tokens.begin(), all->tokens.end(),
                                        [&](const auto& entry) { return entry.second.user == name; });
      users.push_back(server::user_json(user));
      table.add({name, user.is_admin ? "yes" : "-", format_minute(user.created), std::to_string(tokens)});
    }
    TRY(json_ ? write_json(context.output, {{"users", std::move(users)}}) : table.write(context.output));
    return k_exit_success;
  }

 private:
  bool json_ = false;
};

class TokenAdd : public AccountCommand {
 public:
  explicit TokenAdd(CLI::App& app) {
    add_argument(app, "USER", user_);
    token_.add_to(app);
    add_footer(app,
               "read looks; work adds to experiments of the user's projects, as a worker does, and removes nothing; "
               "write also makes experiments, and changes the user's own; admin does everything.");
  }
  std::string form() const override { return "studio server token add USER [FLAGS]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const server::TokenRequest request, token_.request(user_));
    auto file = accounts(context);
    server::IssuedToken token;
    TRY(file.change([&](Accounts& all) -> Result<void> {
      server::drop_expired(all, now());
      TRY_ASSIGN(token, server::issue_token(all, request, now()));
      return {};
    }));
    TRY(show_token(context, token));
    return k_exit_success;
  }

 private:
  std::string user_;
  TokenFlags token_;
};

class TokenList : public AccountCommand {
 public:
  explicit TokenList(CLI::App& app) {
    add_optional_argument(app, "USER", user_);
    add_switch(app, "--json", json_, "print JSON");
  }
  std::string form() const override { return "studio server token list [USER] [--json]"; }

  Result<int> run(Context& context) override {
    auto file = accounts(context);
    TRY_ASSIGN(const auto all, file.read());
    auto tokens = nlohmann::ordered_json::array();
    Table table({{"ID"}, {"USER"}, {"SCOPE"}, {"CREATED (UTC)"}, {"EXPIRES (UTC)"}, {"NOTE"}});
    for (const auto& [id, token] : all->tokens) {
      if (!user_.empty() && token.user != user_) continue;
      tokens.push_back(server::token_json(token));
      table.add({id, token.user, std::string(name_of(token.scope)), format_minute(token.created),
                 token.expires ? format_minute(*token.expires) : "never", printable(token.note)});
    }
    TRY(json_ ? write_json(context.output, {{"tokens", std::move(tokens)}}) : table.write(context.output));
    return k_exit_success;
  }

 private:
  std::string user_;
  bool json_ = false;
};

class TokenRevoke : public AccountCommand {
 public:
  explicit TokenRevoke(CLI::App& app) {
    add_argument(app, "ID", id_);
    add_footer(app, "And the sessions of browsers that were opened with it. It takes effect at once.");
  }
  std::string form() const override { return "studio server token revoke ID"; }

  Result<int> run(Context& context) override {
    auto file = accounts(context);
    TRY(file.change([&](Accounts& all) { return server::revoke_token(all, id_); }));
    notice(context, concat("token ", id_, " was revoked"));
    return k_exit_success;
  }

 private:
  std::string id_;
};

class ProjectShare : public AccountCommand {
 public:
  explicit ProjectShare(CLI::App& app) {
    add_argument(app, "PROJECT", project_);
    add_argument(app, "USER", user_);
    add_argument(app, "ROLE", role_);
    add_footer(app,
               "USER may be '*', everyone. A reader sees the project; a writer runs experiments in it; an admin "
               "deletes in it and shares it. A project with no member is open to all for running, and each sees "
               "their own.");
  }
  std::string form() const override { return "studio server project share PROJECT USER ROLE"; }

  Result<int> run(Context& context) override {
    const auto role = server::parse_role(role_);
    if (!role) return usage_error(concat("'", printable(role_), "' is no role"), "reader, writer or admin");
    auto file = accounts(context);
    TRY(file.change([&](Accounts& all) { return server::set_role(all, project_, user_, *role); }));
    return k_exit_success;
  }

 private:
  std::string project_;
  std::string user_;
  std::string role_;
};

class ProjectUnshare : public AccountCommand {
 public:
  explicit ProjectUnshare(CLI::App& app) {
    add_argument(app, "PROJECT", project_);
    add_argument(app, "USER", user_);
  }
  std::string form() const override { return "studio server project unshare PROJECT USER"; }

  Result<int> run(Context& context) override {
    auto file = accounts(context);
    TRY(file.change([&](Accounts& all) { return server::set_role(all, project_, user_, std::nullopt); }));
    return k_exit_success;
  }

 private:
  std::string project_;
  std::string user_;
};

class ProjectList : public AccountCommand {
 public:
  explicit ProjectList(CLI::App& app) { add_switch(app, "--json", json_, "print JSON"); }
  std::string form() const override { return "studio server project list [--json]"; }

  Result<int> run(Context& context) override {
    auto file = accounts(context);
    TRY_ASSIGN(const auto all, file.read());
    auto projects = nlohmann::ordered_json::array();
    Table table({{"PROJECT"}, {"USER"}, {"ROLE"}});
    for (const auto& [project, members] : all->projects) {
      projects.push_back(server::project_json(project, *all));
      for (const auto& [user, role] : members) table.add({project, user, std::string(name_of(role))});
    }
    TRY(json_ ? write_json(context.output, {{"projects", std::move(projects)}}) : table.write(context.output));
    return k_exit_success;
  }

 private:
  bool json_ = false;
};

template <class It>
void add_command(CLI::App& group, CommandTable& commands, const char* name, const char* description) {
  CLI::App* app = add_subcommand(group, name, description);
  commands.add(app, std::make_unique<It>(*app));
}

}  // namespace

void add_account_commands(CLI::App& server, CommandTable& commands) {
  CLI::App* user = add_subcommand(server, "user", "Users of the server that has this home.");
  add_command<UserAdd>(*user, commands, "add", "make a user, with a first token");
  add_command<UserList>(*user, commands, "list", "list users");
  add_command<UserRemove>(*user, commands, "remove", "remove a user and the user's tokens");
  CLI::App* token = add_subcommand(server, "token", "Tokens of users.");
  add_command<TokenAdd>(*token, commands, "add", "make a token for a user");
  add_command<TokenList>(*token, commands, "list", "list tokens, without what is secret");
  add_command<TokenRevoke>(*token, commands, "revoke", "end a token");
  CLI::App* project = add_subcommand(server, "project", "Who shares which project.");
  add_command<ProjectShare>(*project, commands, "share", "give a user a role in a project");
  add_command<ProjectUnshare>(*project, commands, "unshare", "take a user's role in a project away");
  add_command<ProjectList>(*project, commands, "list", "list projects that are shared");
}

}  // namespace studio::cli
