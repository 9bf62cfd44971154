#include "server/account_routes.hpp"

#include <set>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "server/account_json.hpp"
#include "server/answer.hpp"

namespace studio::server {

namespace {

using nlohmann::ordered_json;

struct Desk {
  const Guard& guard;
  const Clock& clock;
  ExperimentIndex& index;
};

Result<void> list_users(const Desk& desk, Call& call) {
  TRY(accounts_of(desk.guard));
  ordered_json users = ordered_json::array();
  for (const auto& [name, user] : call.identity.accounts->users) users.push_back(user_json(user));
  answer_json(call, {{"users", std::move(users)}});
  return {};
}

Result<void> make_user(const Desk& desk, Call& call) {
  TRY_ASSIGN(AccountFile* const file, accounts_of(desk.guard));
  TRY_ASSIGN(const ordered_json asked, body_json(call));
  TRY_ASSIGN(const std::string name, text_field(asked, "name"));
  const auto is_admin = asked.find("is_admin");
  ordered_json made;
  const auto changed = file->change([&](Accounts& accounts) -> Result<void> {
    TRY(add_user(accounts, name, is_admin != asked.end() && is_admin->is_boolean() && is_admin->get<bool>(),
                 desk.clock.now()));
    made = user_json(*accounts.find_user(name));
    return {};
  });
  if (!changed) return changed.error();
  answer_json(call, made, 201);
  return {};
}

Result<void> delete_user(const Desk& desk, Call& call) {
  TRY_ASSIGN(AccountFile* const file, accounts_of(desk.guard));
  const std::string& name = call.name("user");
  if (name == call.identity.user)
    return Error{Code::invalid, "you would lock yourself out", "ask another administrator"};
  TRY(file->change([&](Accounts& accounts) { return remove_user(accounts, name); }));
  answer_json(call, {{"removed", name}});
  return {};
}

Result<void> list_tokens(const Desk& desk, Call& call) {
  TRY(accounts_of(desk.guard));
  ordered_json tokens = ordered_json::array();
  for (const auto& [id, token] : call.identity.accounts->tokens)
    if (token.user == call.name("user")) tokens.push_back(token_json(token));
  answer_json(call, {{"tokens", std::move(tokens)}});
  return {};
}

Result<void> make_token(const Desk& desk, Call& call) {
  TRY_ASSIGN(AccountFile* const file, accounts_of(desk.guard));
  TRY_ASSIGN(const ordered_json asked, body_json(call));
  TRY_ASSIGN(const TokenRequest request, token_request(asked, call.name("user")));
  return answer_new_token(call, *file, request, desk.clock.now());
}

// Those that have experiments which the one who asks may see, and those where it has a role.
Result<void> list_projects(const Desk& desk, Call& call) {
  TRY(desk.index.refresh());
  std::set<std::string> names = desk.index.projects(
      [&](const model::Experiment& experiment) { return may(call.identity, Right::see, experiment); });
  static const Accounts k_none;
  const Accounts& accounts = call.identity.accounts == nullptr ? k_none : *call.identity.accounts;
  for (const auto& [name, members] : accounts.projects)
    if (call.identity.is_admin() || accounts.role_of(call.identity.user, name)) names.insert(name);
  ordered_json projects = ordered_json::array();
  for (const std::string& name : names) projects.push_back(project_json(name, accounts));
  answer_json(call, {{"projects", std::move(projects)}});
  return {};
}

Result<void> change_role(const Desk& desk, Call& call, std::optional<Role> role) {
  TRY_ASSIGN(AccountFile* const file, accounts_of(desk.guard));
  const std::string& project = call.name("project");
  ordered_json shared;
  const auto changed = file->change([&](Accounts& accounts) -> Result<void> {
    const auto mine = accounts.role_of(call.identity.user, project);
    if (!call.identity.is_admin() && mine != Role::admin)
      return Error{Code::denied, concat("only admins of project '", printable(project), "' say who shares it")};
    TRY(set_role(accounts, project, call.name("user"), role));
    shared = project_json(project, accounts);
    return {};
  });
  if (!changed) return changed.error();
  answer_json(call, shared);
  return {};
}

Result<void> share_project(const Desk& desk, Call& call) {
  TRY_ASSIGN(const ordered_json asked, body_json(call));
  TRY_ASSIGN(const std::string name, text_field(asked, "role"));
  const auto role = parse_role(name);
  if (!role) return Error{Code::invalid, concat("'", printable(name), "' is no role"), "reader, writer or admin"};
  return change_role(desk, call, role);
}

Result<void> unshare_project(const Desk& desk, Call& call) { return change_role(desk, call, std::nullopt); }

}  // namespace

void add_account_routes(Router& router, const Guard& guard, const Backend& backend, ExperimentIndex& index) {
  const auto add = [&](const char* method, const char* pattern, Access access, auto function) {
    router.add({method, pattern, access,
                [desk = Desk{guard, backend.clock, index}, function](Call& call) { return function(desk, call); }});
  };
  add("GET", "/api/v1/users", Access::admin, list_users);
  add("POST", "/api/v1/users", Access::admin, make_user);
  add("DELETE", "/api/v1/users/{user}", Access::admin, delete_user);
  add("GET", "/api/v1/users/{user}/tokens", Access::admin, list_tokens);
  add("POST", "/api/v1/users/{user}/tokens", Access::admin, make_token);
  add("GET", "/api/v1/projects", Access::read, list_projects);
  add("PUT", "/api/v1/projects/{project}/members/{user}", Access::write, share_project);
  add("DELETE", "/api/v1/projects/{project}/members/{user}", Access::write, unshare_project);
}

}  // namespace studio::server
