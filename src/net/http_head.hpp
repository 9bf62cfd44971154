// The head of an answer, as it goes over the wire (RFC 9112, 4 and 6).
#pragma once

#include <cstdint>
#include <string>

#include "net/http_server.hpp"

namespace studio::net {

// How the peer learns where the body ends.
enum class Framing { length, chunked, until_close };

// Whether an answer with this status never has a body, whatever its headers say.
constexpr bool has_no_body(unsigned status) { return status < 200 || status == 204 || status == 304; }

// Takes out what would end a header, or begin another one: a line break in its name or value.
void drop_bad_headers(Headers& headers);

// `length` of the body, where the framing is by length.
std::string head_text(const HttpResponse& response, Framing framing, std::uint64_t length, bool keep_alive);

}  // namespace studio::net
