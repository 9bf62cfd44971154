#include "server/guard.hpp"

#include <algorithm>

#include "base/concat.hpp"
#include "base/digest.hpp"
#include "base/letters.hpp"
#include "catalog/errors.hpp"
#include "server/secret.hpp"

namespace studio::server {

namespace {

bool is_one_of(const std::string& text, const std::vector<std::string>& texts) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

std::size_t count_of(const net::HttpRequest& request, std::string_view name) {
  return static_cast<std::size_t>(
      std::count_if(request.headers.begin(), request.headers.end(),
                    [&](const auto& header) { return equal_but_for_case(header.first, name); }));
}

// Whether a page of the host has this origin, under either scheme: a proxy in front may encrypt.
bool is_origin_of(std::string_view origin, std::string_view host) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (origin.starts_with(scheme) && origin.substr(scheme.size()) == host) return true;
  return false;
}

Error needs_token() {
  return {Code::unauthenticated, "this server wants to know who asks",
          "sign in on its page, or bring a token: Authorization: Bearer studio_…"};
}

// The scope that a token needs for it.
Scope scope_for(Access access) {
  switch (access) {
    case Access::page:
    case Access::open:
    case Access::own:
    case Access::board:
    case Access::read: return Scope::read;
    case Access::work: return Scope::work;
    case Access::write: return Scope::write;
    case Access::admin: return Scope::admin;
  }
  return Scope::admin;
}

Right right_for(Access access) {
  if (access == Access::work) return Right::work;
  return changes(access) ? Right::change : Right::see;
}

// Of "Authorization: Bearer TOKEN" (RFC 6750); empty if there is none.
std::string_view bearer_of(const net::HttpRequest& request) {
  constexpr std::string_view k_scheme = "bearer ";
  const std::string_view header = request.header("Authorization");
  return lower(header.substr(0, k_scheme.size())) == k_scheme ? header.substr(k_scheme.size()) : std::string_view();
}

const char* policy_for(Access access) {
  switch (access) {
    case Access::page:
      return "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    // Beside its own, which is stricter for some of it: nothing comes from elsewhere, nothing goes there.
    case Access::board:
      return "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'; "
             "form-action 'self'; frame-ancestors 'self'";
    // What experiments left behind may be a page: it must not run, nor reach this server if it is opened.
    default: return "default-src 'none'; frame-ancestors 'none'; sandbox";
  }
}

}  // namespace

Result<void> Guard::check_origin(const net::HttpRequest& request, Access access) const {
  const std::string host = lower(request.header("Host"));
  const bool is_own_host = options_.accounts != nullptr || is_one_of(host, options_.hosts);
  if (count_of(request, "host") != 1 || !is_own_host)
    return Error{Code::denied, "the request's Host is not a name of this server"};
  const std::string origin = lower(request.header("Origin"));
  const bool is_own_origin = origin.empty() || is_one_of(origin, options_.origins) ||
                             (options_.accounts != nullptr && is_origin_of(origin, host));
  if (count_of(request, "origin") > 1 || !is_own_origin)
    return Error{Code::denied, "the request comes from the page of another site"};
  // "none": the user typed the address or chose a bookmark. To follow a link of another site to the page is fine.
  const std::string_view site = request.header("Sec-Fetch-Site");
  const bool is_visit = access == Access::page && request.header("Sec-Fetch-Mode") == "navigate" &&
                        request.header("Sec-Fetch-Dest") == "document";
  if (!site.empty() && site != "same-origin" && site != "none" && !is_visit)
    return Error{Code::denied, "the request comes from the page of another site"};
  return {};
}

Result<Identity> Guard::identify(const net::HttpRequest& request, WallTime now) const {
  if (options_.accounts == nullptr)
    return Identity{.kind = Identity::Kind::machine, .scope = Scope::admin, .change_token = options_.token};
  for (const char* header : {"authorization", "cookie"})
    if (count_of(request, header) > 1) return Error{Code::unauthenticated, "the request shows two tokens"};
  const std::string_view bearer = bearer_of(request);
  const std::string_view cookie = cookie_in(request.header("Cookie"), k_session_cookie);
  Identity identity;
  identity.file = options_.accounts;
  TRY_ASSIGN(identity.accounts, identity.file->read());
  if (bearer.empty() && cookie.empty()) return identity;
  const auto token = find_token(*identity.accounts, bearer.empty() ? cookie : bearer, now);
  // A browser goes on sending a cookie whose time is over: its page asks its user to sign in again.
  if (!token && bearer.empty()) return identity;
  if (!token) return token.error();
  identity.kind = Identity::Kind::user;
  identity.user = (*token)->user;
  identity.token = (*token)->id;
  identity.scope = (*token)->scope;
  if (bearer.empty()) identity.change_token = change_token_of(cookie);
  return identity;
}

Result<void> Guard::check_access(const net::HttpRequest& request, const Identity& identity, Access access) {
  if (access == Access::page || access == Access::open) return {};
  if (identity.kind == Identity::Kind::nobody) return needs_token();
  if (!includes(identity.scope, scope_for(access)))
    return Error{Code::denied,
                 concat("the token's scope is ", name_of(identity.scope), ": this needs ", name_of(scope_for(access))),
                 "the account page and 'studio server token add' make tokens of other scopes"};
  if (!changes(access) || identity.change_token.empty()) return {};
  // A GET of what is everyone's changes nothing.
  if (request.method == "GET" || request.method == "HEAD") return {};
  if (count_of(request, "x-studio-token") != 1 || !same_secret(request.header("X-Studio-Token"), identity.change_token))
    return Error{Code::denied, "a change must bring the server's token in the header X-Studio-Token",
                 "GET /api/v1/session tells it"};
  return {};
}

Result<void> Guard::check_experiment(catalog::Catalog& catalog, const Identity& identity, Access access,
                                     const std::string& key) {
  if (identity.is_admin()) return {};
  TRY_ASSIGN(const model::Experiment experiment, catalog.load(key));
  if (!may(identity, Right::see, experiment)) return catalog::no_experiment(key);
  if (may(identity, right_for(access), experiment)) return {};
  return belongs_to_another(right_for(access), experiment);
}

std::string change_token_of(std::string_view session_token) {
  return Sha256::of(as_bytes(concat("change ", session_token))).hex();
}

std::string_view cookie_in(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(';'), header.size());
    std::string_view pair = header.substr(0, end);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) return pair.substr(name.size() + 1);
    header.remove_prefix(std::min(end + 1, header.size()));
  }
  return {};
}

net::Headers safe_headers(Access access) {
  return {{"Content-Security-Policy", policy_for(access)},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"X-Frame-Options", access == Access::board ? "SAMEORIGIN" : "DENY"}};
}

}  // namespace studio::server
