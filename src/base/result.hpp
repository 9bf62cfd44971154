// Result<T>: a value or an Error. Every operation of Studio that can fail returns one; exceptions of third-party
// libraries stop at the adapter that calls them.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace studio {

// After the canonical codes of gRPC. `unavailable` means: retry this call. `conflict` means: redo the
// read-modify-write. Nothing else is retried.
enum class Code {
  not_found,
  already_exists,
  conflict,
  invalid,
  denied,
  unauthenticated,  // nobody is known to ask
  unavailable,
  exhausted,  // disk full, quota, too many open files
  corrupt,    // stored bytes do not match their digest or format
  cancelled,
  unsupported,
  internal,
};

std::string_view name_of(Code code);
// `internal` for a name that is none: an error that nobody foresaw.
Code parse_code(std::string_view name);

// `message` is one sentence fragment that names operation, object and cause; `hint` (may be empty) says how to mend it.
struct Error {
  Code code = Code::internal;
  std::string message;
  std::string hint = {};
};

template <class T = void>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Error error) : Base(tl::unexpect, std::move(error)) {}
};

// The same error, its message preceded by what was being done.
Error within(std::string_view context, Error error);

}  // namespace studio

#define STUDIO_CONCAT_(a, b) a##b
#define STUDIO_CONCAT(a, b) STUDIO_CONCAT_(a, b)

// TRY(expr): returns the error of `expr` from the enclosing function, if it has one.
#define TRY(...)                                                                                           \
  do {                                                                                                     \
    if (auto try_result_ = (__VA_ARGS__); !try_result_.has_value()) return std::move(try_result_).error(); \
  } while (false)

// TRY_ASSIGN(auto x, expr): as TRY, and binds the value.
#define TRY_ASSIGN(target, ...) TRY_ASSIGN_(STUDIO_CONCAT(try_result_, __LINE__), target, __VA_ARGS__)
#define TRY_ASSIGN_(result, target, ...)                     \
  auto result = (__VA_ARGS__);                               \
  if (!result.has_value()) return std::move(result).error(); \
  target = std::move(*result)
