#include "server/account_json.hpp"

#include "base/concat.hpp"
#include "base/display.hpp"
#include "model/json_fields.hpp"
#include "server/answer.hpp"

namespace studio::server {

namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t k_most_body = 64 << 10;

bool has(const ordered_json& object, const std::string& field) {
  const auto found = object.find(field);
  return found != object.end() && !found->is_null();
}

}  // namespace

Result<AccountFile*> accounts_of(const Guard& guard) {
  if (guard.options().accounts != nullptr) return guard.options().accounts;
  return Error{Code::unsupported, "this server is for its own machine: it has no accounts",
               "studio server --help says how to serve a team"};
}

ordered_json user_json(const User& user) {
  return {{"name", user.name}, {"is_admin", user.is_admin}, {"created", format_time(user.created)}};
}

ordered_json token_json(const Token& token) {
  return {{"id", token.id},
          {"user", token.user},
          {"scope", name_of(token.scope)},
          {"note", to_utf8(token.note)},
          {"created", format_time(token.created)},
          {"expires", model::optional_time(token.expires)},
          {"is_session", !token.parent.empty()}};
}

ordered_json project_json(const std::string& name, const Accounts& accounts) {
  ordered_json members = ordered_json::array();
  if (const auto project = accounts.projects.find(name); project != accounts.projects.end())
    for (const auto& [user, role] : project->second) members.push_back({{"user", user}, {"role", name_of(role)}});
  return {{"name", name}, {"members", std::move(members)}};
}

Result<ordered_json> body_json(Call& call) {
  TRY_ASSIGN(const std::string text, call.exchange.body(k_most_body));
  auto document = ordered_json::parse(text, nullptr, false);
  if (document.is_object()) return document;
  return Error{Code::invalid, "the request's body is no JSON object"};
}

Result<std::string> text_field(const ordered_json& object, const std::string& field) {
  const auto found = object.find(field);
  if (found != object.end() && found->is_string()) return found->get<std::string>();
  return Error{Code::invalid, concat("the request's body has no text '", field, "'")};
}

Result<TokenRequest> token_request(const ordered_json& object, std::string user) {
  TokenRequest request{.user = std::move(user)};
  if (has(object, "scope")) {
    TRY_ASSIGN(const std::string name, text_field(object, "scope"));
    const auto scope = parse_scope(name);
    if (!scope)
      return Error{Code::invalid, concat("'", printable(name), "' is no scope"), "read, work, write or admin"};
    request.scope = *scope;
  }
  if (has(object, "note")) {
    TRY_ASSIGN(request.note, text_field(object, "note"));
  }
  if (has(object, "expires")) {
    TRY_ASSIGN(const std::string text, text_field(object, "expires"));
    const auto time = parse_time(text);
    if (!time) return Error{Code::invalid, concat("'expires' is no time: ", time.error().message)};
    request.expires = *time;
  }
  return request;
}

Result<void> answer_new_token(Call& call, AccountFile& file, const TokenRequest& request, WallTime now) {
  IssuedToken issued;
  TRY(file.change([&](Accounts& accounts) -> Result<void> {
    drop_expired(accounts, now);
    TRY_ASSIGN(issued, issue_token(accounts, request, now));
    return {};
  }));
  answer_json(call, {{"id", issued.id}, {"token", issued.text}}, 201);
  return {};
}

}  // namespace studio::server
