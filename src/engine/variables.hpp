// Which environment variables may be recorded, and what a credential looks like.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace studio::engine {

// Whether a variable may be recorded: its name is on the allow-list and neither name nor value suggests a secret.
bool may_record(std::string_view name, std::string_view value);

// Those of `environment` ("NAME=VALUE") that may be recorded.
std::map<std::string, std::string> recorded_variables(const std::vector<std::string>& environment);

// Whether there is a private key or a token of a known kind anywhere in the text.
bool holds_token(std::string_view text);

// A git remote (URL, scp-like address or path) without user, password and query. The user of an ssh address stays: it
// is no secret there, and the address is wrong without it. "" if there is still a token in it.
std::string without_credentials(std::string_view url);

}  // namespace studio::engine
