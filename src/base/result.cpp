#include "base/result.hpp"

#include <array>

#include "base/concat.hpp"

namespace studio {

namespace {

struct NamedCode {
  Code code;
  std::string_view name;
};
constexpr std::array<NamedCode, 12> k_codes{{{Code::not_found, "not found"},
                                             {Code::already_exists, "already exists"},
                                             {Code::conflict, "conflict"},
                                             {Code::invalid, "invalid"},
                                             {Code::denied, "denied"},
                                             {Code::unauthenticated, "unauthenticated"},
                                             {Code::unavailable, "unavailable"},
                                             {Code::exhausted, "exhausted"},
                                             {Code::corrupt, "corrupt"},
                                             {Code::cancelled, "cancelled"},
                                             {Code::unsupported, "unsupported"},
                                             {Code::internal, "internal"}}};

}  // namespace

std::string_view name_of(Code code) {
  for (const NamedCode& named : k_codes)
    if (named.code == code) return named.name;
  return "internal";
}

Code parse_code(std::string_view name) {
  for (const NamedCode& named : k_codes)
    if (named.name == name) return named.code;
  return Code::internal;
}

Error within(std::string_view context, Error error) {
  error.message = concat(context, ": ", error.message);
  return error;
}

}  // namespace studio
