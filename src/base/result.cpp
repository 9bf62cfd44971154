#include "base/result.hpp"

#include "base/concat.hpp"

namespace studio {

std::string_view name_of(Code code) {
  switch (code) {
    case Code::not_found: return "not found";
    case Code::already_exists: return "already exists";
    case Code::conflict: return "conflict";
    case Code::invalid: return "invalid";
    case Code::denied: return "denied";
    case Code::unavailable: return "unavailable";
    case Code::exhausted: return "exhausted";
    case Code::corrupt: return "corrupt";
    case Code::cancelled: return "cancelled";
    case Code::unsupported: return "unsupported";
    case Code::internal: return "internal";
  }
  return "internal";
}

Error within(std::string_view context, Error error) {
  error.message = concat(context, ": ", error.message);
  return error;
}

}  // namespace studio
