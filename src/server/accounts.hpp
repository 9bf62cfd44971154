// Who may use a server of a team: users, their tokens, and who shares which project. Plain values and their JSON
// (doc/records.md, "accounts.json").
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"

namespace studio::server {

// What the bearer of a token may do, within what its user may.
enum class Scope {
  read,   // look
  work,   // and add to experiments of its user's projects, whosever they are: what a worker needs. It removes nothing
  write,  // and create experiments, change and delete its user's own
  admin,  // all of it, and accounts
};
std::string_view name_of(Scope scope);
std::optional<Scope> parse_scope(std::string_view name);
// Whether a token of the scope may do what asks for `needed`. Neither of `work` and `write` holds the other, but what a
// worker does to experiments of its own user.
bool includes(Scope scope, Scope needed);

// What a user may do in a project, besides what everyone may do with experiments of their own.
enum class Role {
  reader,  // see it
  writer,  // and run experiments in it
  admin,   // and say who else may, and delete what is in it
};
std::string_view name_of(Role role);
std::optional<Role> parse_role(std::string_view name);

struct User {
  std::string name;
  bool is_admin = false;
  WallTime created;
};

struct Token {
  std::string id;  // in the clear: names it
  std::string user;
  Digest digest;  // of the secret, which is kept nowhere
  Scope scope = Scope::read;
  std::string note;  // for people
  WallTime created;
  std::optional<WallTime> expires;
  std::string parent;  // of a browser's session: the id of the token that it was opened with, and ends with
};

// Every user, whoever that is.
inline constexpr std::string_view k_everyone = "*";

struct Accounts {
  std::map<std::string, User, std::less<>> users;
  std::map<std::string, Token, std::less<>> tokens;
  std::map<std::string, std::map<std::string, Role, std::less<>>, std::less<>> projects;  // the members of each

  const User* find_user(std::string_view name) const;
  // The greater of what the user and everyone has; nothing if neither has a role.
  std::optional<Role> role_of(std::string_view user, std::string_view project) const;
};

// `already_exists`, or `invalid` if it is no name.
Result<void> add_user(Accounts& accounts, std::string_view name, bool is_admin, WallTime now);
// With the user's tokens and memberships; experiments keep their owner. `not_found`.
Result<void> remove_user(Accounts& accounts, std::string_view name);

struct TokenRequest {
  std::string user;
  Scope scope = Scope::write;
  std::string note;
  std::optional<WallTime> expires;
  std::string parent;
};
struct IssuedToken {
  std::string id;
  std::string text;  // "studio_ID_SECRET": shown once
};
// `not_found`: no such user; `denied`: the scope is admin and the user is not; `invalid`: it has expired already.
Result<IssuedToken> issue_token(Accounts& accounts, const TokenRequest& request, WallTime now);
// And the sessions that were opened with it. `not_found`.
Result<void> revoke_token(Accounts& accounts, std::string_view id);
// Those that have expired, and those without whom they were issued.
void drop_expired(Accounts& accounts, WallTime now);

// Not expired, and what it hangs on is there.
bool is_valid(const Accounts& accounts, const Token& token, WallTime now);

// The token that the text names, if its secret is right, it has not expired, and what it hangs on is there; otherwise
// `unauthenticated`, which does not tell which of these it is.
Result<const Token*> find_token(const Accounts& accounts, std::string_view text, WallTime now);

// `not_found` if there is no such user, and it is not everyone; nothing takes the role away.
Result<void> set_role(Accounts& accounts, std::string_view project, std::string_view user, std::optional<Role> role);

std::string accounts_text(const Accounts& accounts);
// `corrupt` or `unsupported`
Result<Accounts> accounts_from_text(std::string_view text);

}  // namespace studio::server
