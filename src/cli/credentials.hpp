// The tokens of this user for Studio servers: $STUDIOML_HOME/credentials.json, which nobody else may read.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/api_client.hpp"

namespace studio::cli {

struct Credential {
  std::string user;  // as the server knows it
  std::string token;
};

// By the server's URL, without a slash at its end.
using Credentials = std::map<std::string, Credential>;

// "https://Studio.example.org/" is "https://studio.example.org". `invalid` if it is no URL of a server.
Result<std::string> server_name(std::string_view url);

// A file that is not there holds none. `corrupt`, naming it.
Result<Credentials> load_credentials(const std::string& path);
Result<void> save_credentials(const std::string& path, const Credentials& credentials);

// Who the server says that the bearer of the client's token is. `invalid` if it knows no users.
Result<std::string> user_of_server(net::ApiClient& server);

}  // namespace studio::cli
