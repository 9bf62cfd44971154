// What requests and answers of HTTP have in common (RFC 9110).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace studio::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The value of the first header of that name, whose case does not matter; empty if there is none.
std::string_view header_value(const Headers& headers, std::string_view name);

// Whether whoever sent the headers takes an answer with this content coding (Accept-Encoding, RFC 9110, 12.5.3). Not
// for "identity", which a server may always fall back on.
bool accepts_coding(const Headers& headers, std::string_view coding);

// Whether a text can be a part of a head: a line break would end the header, and begin another one.
bool is_header_text(std::string_view text);

}  // namespace studio::net
