// Hands requests on to a TensorBoard that runs behind the server, and its answers back.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "server/router.hpp"

namespace studio::server {

// Sends the request to 127.0.0.1 and streams the answer. Of either head only what is known to be harmless goes on: no
// token, no cookie, nothing that is about one of the connections. `prefix`, which the request's target begins with, is
// where a redirection must stay. `unavailable` if the program does not answer.
Result<void> forward_to_board(Call& call, std::uint16_t port, const std::string& prefix);

}  // namespace studio::server
