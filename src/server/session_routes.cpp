#include "server/session_routes.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/letters.hpp"
#include "base/studio_version.hpp"
#include "server/account_json.hpp"
#include "server/answer.hpp"

namespace studio::server {

namespace {

using nlohmann::ordered_json;

constexpr std::chrono::hours k_session{7 * 24};

struct Sessions {
  const Guard& guard;
  const Clock& clock;
  bool is_tls;
};

bool is_https(const std::string& origin) { return lower(origin).starts_with("https://"); }

// Whether the browser that asks reaches this server encrypted: by its own TLS, or that of a proxy. What the browser
// says goes before what the server was told, which may be reached in both ways.
bool is_encrypted(const Sessions& sessions, const net::HttpRequest& request) {
  if (sessions.is_tls) return true;
  const std::string origin(request.header("Origin"));
  if (!origin.empty()) return is_https(origin);
  return std::ranges::any_of(sessions.guard.options().origins, is_https);
}

std::string cookie(const Sessions& sessions, const Call& call, std::string_view value, std::chrono::seconds age) {
  return concat(k_session_cookie, "=", value, "; Path=/; HttpOnly; SameSite=Strict; Max-Age=", age.count(),
                is_encrypted(sessions, call.request()) ? "; Secure" : "");
}

ordered_json session_json(const Identity& identity) {
  ordered_json document{{"version", k_studio_version}, {"token", nullptr}, {"user", nullptr}};
  if (!identity.change_token.empty()) document["token"] = identity.change_token;
  if (identity.kind == Identity::Kind::user)
    document["user"] = {{"name", identity.user}, {"scope", name_of(identity.scope)}};
  document["signed_in"] = identity.kind != Identity::Kind::nobody;
  return document;
}

Result<void> sign_in(const Sessions& sessions, Call& call) {
  TRY_ASSIGN(AccountFile* const file, accounts_of(sessions.guard));
  TRY_ASSIGN(const ordered_json asked, body_json(call));
  TRY_ASSIGN(const std::string text, text_field(asked, "token"));
  const WallTime now = sessions.clock.now();
  IssuedToken issued;
  TRY(file->change([&](Accounts& accounts) -> Result<void> {
    TRY_ASSIGN(const Token* const token, find_token(accounts, text, now));
    drop_expired(accounts, now);
    TRY_ASSIGN(issued, issue_token(accounts,
                                   {.user = token->user,
                                    .scope = token->scope,
                                    .note = "browser",
                                    .expires = now + k_session,
                                    .parent = token->id},
                                   now));
    return {};
  }));
  net::HttpResponse response = json_response({{"token", change_token_of(issued.text)}}, 201);
  response.headers.emplace_back("Set-Cookie", cookie(sessions, call, issued.text, k_session));
  call.exchange.respond(std::move(response));
  return {};
}

Result<void> sign_out(const Sessions& sessions, Call& call) {
  TRY_ASSIGN(AccountFile* const file, accounts_of(sessions.guard));
  TRY(file->change([&](Accounts& accounts) -> Result<void> {
    const auto token = accounts.tokens.find(call.identity.token);
    if (token == accounts.tokens.end() || token->second.parent.empty())
      return Error{Code::invalid, "only the session of a browser signs out", "DELETE /api/v1/tokens/ID ends a token"};
    return revoke_token(accounts, call.identity.token);
  }));
  net::HttpResponse response = json_response(ordered_json::object(), 200);
  response.headers.emplace_back("Set-Cookie", cookie(sessions, call, "", std::chrono::seconds(0)));
  call.exchange.respond(std::move(response));
  return {};
}

Result<void> list_own_tokens(const Sessions& sessions, Call& call) {
  TRY(accounts_of(sessions.guard));
  ordered_json tokens = ordered_json::array();
  for (const auto& [id, token] : call.identity.accounts->tokens)
    if (token.user == call.identity.user) tokens.push_back(token_json(token));
  answer_json(call, {{"tokens", std::move(tokens)}});
  return {};
}

// A token gives no more than the one that asks for it.
Result<void> make_own_token(const Sessions& sessions, Call& call) {
  TRY_ASSIGN(AccountFile* const file, accounts_of(sessions.guard));
  TRY_ASSIGN(const ordered_json asked, body_json(call));
  TRY_ASSIGN(TokenRequest request, token_request(asked, call.identity.user));
  if (!includes(call.identity.scope, request.scope))
    return Error{Code::denied, concat("a token of scope ", name_of(call.identity.scope), " makes none of scope ",
                                      name_of(request.scope))};
  return answer_new_token(call, *file, request, sessions.clock.now());
}

Result<void> revoke_own_token(const Sessions& sessions, Call& call) {
  TRY_ASSIGN(AccountFile* const file, accounts_of(sessions.guard));
  const std::string& id = call.name("token");
  TRY(file->change([&](Accounts& accounts) -> Result<void> {
    const auto found = accounts.tokens.find(id);
    const bool is_own = found != accounts.tokens.end() && found->second.user == call.identity.user;
    if (!is_own && !call.identity.is_admin())
      return Error{Code::not_found, concat("you have no token '", printable(id), "'")};
    return revoke_token(accounts, id);
  }));
  answer_json(call, {{"revoked", id}});
  return {};
}

}  // namespace

void add_session_routes(Router& router, const Guard& guard, const Clock& clock, bool is_tls) {
  const auto add = [&](const char* method, const char* pattern, Access access, auto function) {
    router.add({method, pattern, access, [sessions = Sessions{guard, clock, is_tls}, function](Call& call) {
                  return function(sessions, call);
                }});
  };
  add("GET", "/api/v1/session", Access::open, [](const Sessions&, Call& call) -> Result<void> {
    answer_json(call, session_json(call.identity));
    return {};
  });
  add("POST", "/api/v1/session", Access::open, sign_in);
  add("DELETE", "/api/v1/session", Access::own, sign_out);
  add("GET", "/api/v1/tokens", Access::read, list_own_tokens);
  add("POST", "/api/v1/tokens", Access::own, make_own_token);
  add("DELETE", "/api/v1/tokens/{token}", Access::own, revoke_own_token);
}

}  // namespace studio::server
