#include "server/secret.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>

#include "base/concat.hpp"
#include "base/digest.hpp"

namespace studio::server {

Result<std::string> make_secret() {
  std::array<std::byte, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return Error{Code::internal, concat("the system gives no random bytes: error ", errno)};
  return hex(bytes);
}

bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  return difference == 0;
}

}  // namespace studio::server
