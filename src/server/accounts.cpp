#include "server/accounts.hpp"

#include <algorithm>
#include <array>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"
#include "model/json_fields.hpp"
#include "server/secret.hpp"

namespace studio::server {

namespace {

using model::Named;

constexpr std::int64_t k_format = 1;
constexpr std::array<Named<Scope>, 4> k_scopes{
    {{Scope::read, "read"}, {Scope::work, "work"}, {Scope::write, "write"}, {Scope::admin, "admin"}}};
constexpr std::array<Named<Role>, 3> k_roles{
    {{Role::reader, "reader"}, {Role::writer, "writer"}, {Role::admin, "admin"}}};
constexpr std::string_view k_token_prefix = "studio_";

Error no_user(std::string_view name) {
  return {Code::not_found, concat("there is no user '", printable(name), "'"), "studio server user list"};
}

Error bad_token() {
  return {Code::unauthenticated, "the token is not valid: it is wrong, has expired or was revoked",
          "sign in again, or ask an administrator of the server for a token"};
}

bool has_expired(const Token& token, WallTime now) { return token.expires && *token.expires <= now; }

}  // namespace

std::string_view name_of(Scope scope) { return model::name_in(k_scopes, scope); }
std::optional<Scope> parse_scope(std::string_view name) { return model::value_in(k_scopes, name); }
std::string_view name_of(Role role) { return model::name_in(k_roles, role); }
std::optional<Role> parse_role(std::string_view name) { return model::value_in(k_roles, name); }

bool includes(Scope scope, Scope needed) {
  if (scope == needed || scope == Scope::admin || needed == Scope::read) return true;
  return scope == Scope::write && needed == Scope::work;
}

const User* Accounts::find_user(std::string_view name) const {
  const auto found = users.find(name);
  return found == users.end() ? nullptr : &found->second;
}

std::optional<Role> Accounts::role_of(std::string_view user, std::string_view project) const {
  const auto members = projects.find(project);
  if (members == projects.end()) return std::nullopt;
  std::optional<Role> role;
  for (const std::string_view name : {user, k_everyone}) {
    const auto member = members->second.find(name);
    if (member != members->second.end() && (!role || *role < member->second)) role = member->second;
  }
  return role;
}

Result<void> add_user(Accounts& accounts, std::string_view name, bool is_admin, WallTime now) {
  TRY(check_name("user name", name));
  const auto [at, is_new] = accounts.users.try_emplace(std::string(name));
  if (!is_new) return Error{Code::already_exists, concat("there is a user '", name, "' already")};
  at->second = {.name = std::string(name), .is_admin = is_admin, .created = now};
  return {};
}

Result<void> remove_user(Accounts& accounts, std::string_view name) {
  const auto found = accounts.users.find(name);
  if (found == accounts.users.end()) return no_user(name);
  std::erase_if(accounts.tokens, [&](const auto& entry) { return entry.second.user == name; });
  for (auto& [project, members] : accounts.projects) members.erase(std::string(name));
  accounts.users.erase(found);
  return {};
}

Result<IssuedToken> issue_token(Accounts& accounts, const TokenRequest& request, WallTime now) {
  const User* const user = accounts.find_user(request.user);
  if (user == nullptr) return no_user(request.user);
  if (request.scope == Scope::admin && !user->is_admin)
    return Error{Code::denied, concat("user '", request.user, "' is no administrator"), "choose another scope"};
  if (request.expires && *request.expires <= now) return Error{Code::invalid, "the token would have expired already"};
  IssuedToken issued;
  TRY_ASSIGN(issued.id, make_key());
  TRY_ASSIGN(const std::string secret, make_secret());
  issued.text = concat(k_token_prefix, issued.id, "_", secret);
  accounts.tokens[issued.id] = {.id = issued.id,
                                .user = request.user,
                                .digest = Sha256::of(as_bytes(secret)),
                                .scope = request.scope,
                                .note = request.note,
                                .created = now,
                                .expires = request.expires,
                                .parent = request.parent};
  return issued;
}

Result<void> revoke_token(Accounts& accounts, std::string_view id) {
  const auto found = accounts.tokens.find(id);
  if (found == accounts.tokens.end())
    return Error{Code::not_found, concat("there is no token '", printable(id), "'"), "studio server token list"};
  accounts.tokens.erase(found);
  std::erase_if(accounts.tokens, [&](const auto& entry) { return entry.second.parent == id; });
  return {};
}

void drop_expired(Accounts& accounts, WallTime now) {
  std::erase_if(accounts.tokens, [&](const auto& entry) { return has_expired(entry.second, now); });
  std::erase_if(accounts.tokens, [&](const auto& entry) { return !is_valid(accounts, entry.second, now); });
}

// A session ends with the token that it was opened with.
bool is_valid(const Accounts& accounts, const Token& token, WallTime now) {
  const User* const user = accounts.find_user(token.user);
  if (user == nullptr || has_expired(token, now) || (token.scope == Scope::admin && !user->is_admin)) return false;
  if (token.parent.empty()) return true;
  const auto parent = accounts.tokens.find(token.parent);
  return parent != accounts.tokens.end() && !has_expired(parent->second, now);
}

Result<const Token*> find_token(const Accounts& accounts, std::string_view text, WallTime now) {
  if (!text.starts_with(k_token_prefix)) return bad_token();
  text.remove_prefix(k_token_prefix.size());
  const std::size_t end = text.find('_');
  if (end == text.npos) return bad_token();
  const auto found = accounts.tokens.find(text.substr(0, end));
  if (found == accounts.tokens.end()) return bad_token();
  const Token& token = found->second;
  const bool is_right = same_secret(Sha256::of(as_bytes(text.substr(end + 1))).hex(), token.digest.hex());
  if (!is_right || !is_valid(accounts, token, now)) return bad_token();
  return &token;
}

Result<void> set_role(Accounts& accounts, std::string_view project, std::string_view user, std::optional<Role> role) {
  TRY(check_name("project", project));
  if (user != k_everyone && accounts.find_user(user) == nullptr) return no_user(user);
  auto& members = accounts.projects[std::string(project)];
  if (role) {
    members[std::string(user)] = *role;
  } else {
    members.erase(std::string(user));
  }
  return {};
}

std::string accounts_text(const Accounts& accounts) {
  nlohmann::ordered_json users = nlohmann::ordered_json::array();
  for (const auto& [name, user] : accounts.users)
    users.push_back({{"name", name}, {"is_admin", user.is_admin}, {"created", format_time(user.created)}});
  nlohmann::ordered_json tokens = nlohmann::ordered_json::array();
  for (const auto& [id, token] : accounts.tokens)
    tokens.push_back({{"id", id},
                      {"user", token.user},
                      {"sha256", token.digest.hex()},
                      {"scope", name_of(token.scope)},
                      {"note", model::byte_string(token.note)},
                      {"created", format_time(token.created)},
                      {"expires", model::optional_time(token.expires)},
                      {"parent", token.parent}});
  nlohmann::ordered_json projects = nlohmann::ordered_json::array();
  for (const auto& [name, roles] : accounts.projects) {
    nlohmann::ordered_json members = nlohmann::ordered_json::array();
    for (const auto& [user, role] : roles) members.push_back({{"user", user}, {"role", name_of(role)}});
    projects.push_back({{"name", name}, {"members", std::move(members)}});
  }
  const nlohmann::ordered_json document{{"format", k_format},
                                        {"users", std::move(users)},
                                        {"tokens", std::move(tokens)},
                                        {"projects", std::move(projects)}};
  return document.dump(2) + "\n";
}

Result<Accounts> accounts_from_text(std::string_view text) {
  TRY_ASSIGN(const auto json, model::parse_json(text));
  model::FieldReader fields(json, "accounts");
  fields.format(k_format);
  Accounts accounts;
  fields.each("users", [&](model::FieldReader& item) {
    User user{.name = item.name("name"), .is_admin = item.boolean("is_admin"), .created = item.time("created")};
    accounts.users.emplace(user.name, user);
  });
  fields.each("tokens", [&](model::FieldReader& item) {
    Token token{.id = item.name("id"), .user = item.name("user")};
    const auto digest = Digest::from_hex(item.bytes("sha256"));
    item.require(digest.has_value(), "sha256", "is no digest");
    token.digest = digest.value_or(Digest());
    token.scope = item.one_of("scope", k_scopes);
    token.note = item.bytes("note");
    token.created = item.time("created");
    token.expires = item.optional_time("expires");
    token.parent = item.bytes("parent");
    accounts.tokens.emplace(token.id, token);
  });
  fields.each("projects", [&](model::FieldReader& item) {
    auto& members = accounts.projects[item.name("name")];
    item.each("members", [&](model::FieldReader& member) {
      members.emplace(member.bytes("user"), member.one_of("role", k_roles));
    });
  });
  TRY(fields.result());
  return accounts;
}

}  // namespace studio::server
