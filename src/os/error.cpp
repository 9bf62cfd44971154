#include "os/error.hpp"

#include <cerrno>
#include <system_error>

#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::os {

namespace {

Code code_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH: return Code::not_found;
    case EEXIST:
    case ENOTEMPTY: return Code::already_exists;
    case EACCES:
    case EPERM:
    case EROFS: return Code::denied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG: return Code::exhausted;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
    case EISDIR: return Code::invalid;
    case EAGAIN:
    case EINTR:
    case EBUSY:
    case ETXTBSY:
    // Of a network file system that has lost its server.
    case ESTALE:
    case ETIMEDOUT:
    case ENOTCONN:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ECONNREFUSED:
    case ECONNRESET: return Code::unavailable;
    case ECANCELED: return Code::cancelled;
    case ENOSYS:
    case EOPNOTSUPP: return Code::unsupported;
    default: return Code::internal;
  }
}

}  // namespace

Error system_error(std::string_view operation, std::string_view path, int number) {
  return Error{code_of(number),
               concat("cannot ", operation, " '", printable(path), "': ", std::generic_category().message(number))};
}

}  // namespace studio::os
