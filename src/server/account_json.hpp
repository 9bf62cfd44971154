// Accounts as the API shows them, and what it takes about them.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "server/account_file.hpp"
#include "server/guard.hpp"
#include "server/router.hpp"

namespace studio::server {

// `unsupported` where there are none: the server is for its own machine.
Result<AccountFile*> accounts_of(const Guard& guard);

nlohmann::ordered_json user_json(const User& user);
nlohmann::ordered_json token_json(const Token& token);  // nothing secret
nlohmann::ordered_json project_json(const std::string& name, const Accounts& accounts);

// The body of a request, a JSON object. `invalid`.
Result<nlohmann::ordered_json> body_json(Call& call);
// `invalid` if it is missing or no text.
Result<std::string> text_field(const nlohmann::ordered_json& object, const std::string& field);

// {"scope", "note", "expires"}, of which each may be left out.
Result<TokenRequest> token_request(const nlohmann::ordered_json& object, std::string user);
// Issues it, and answers with its text.
Result<void> answer_new_token(Call& call, AccountFile& file, const TokenRequest& request, WallTime now);

}  // namespace studio::server
