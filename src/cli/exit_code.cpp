#include "cli/exit_code.hpp"

namespace studio::cli {

int exit_code_of(const Error& error) {
  switch (error.code) {
    case Code::invalid:
    case Code::not_found: return k_exit_usage;
    case Code::cancelled: return k_exit_interrupted;
    default: return k_exit_failure;
  }
}

Error no_usage_error(Error error) {
  if (error.code == Code::invalid || error.code == Code::not_found) error.code = Code::internal;
  return error;
}

Error usage_error(std::string message, std::string hint) {
  return Error{Code::invalid, std::move(message), std::move(hint)};
}

}  // namespace studio::cli
