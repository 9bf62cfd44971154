// What `studio ui` and `studio server` have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "server/server.hpp"

namespace studio::cli {

std::optional<std::uint16_t> parse_port(const std::string& text);

// Serves what this home holds until the program is interrupted; prints the server's URL when it listens. Returns the
// exit code.
Result<int> serve(Context& context, const server::ServerOptions& options);

}  // namespace studio::cli
