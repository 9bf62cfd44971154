// The backends of an interface, by the name that the configuration gives them. A room's registry.cpp holds its table.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/result.hpp"

namespace studio {

template <class Interface, class Options>  // Options has a member `type`, the name
struct Backend {
  std::string_view type;
  Result<std::unique_ptr<Interface>> (*open)(const Options&);
};

template <class Interface, class Options>
std::vector<std::string_view> types_of(std::span<const Backend<Interface, Options>> table) {
  std::vector<std::string_view> types;
  types.reserve(table.size());
  for (const auto& backend : table) types.push_back(backend.type);
  return types;
}

// `what` is the noun of the message. `unsupported` if the type is unknown; otherwise the errors of the backend's open.
template <class Interface, class Options>
Result<std::unique_ptr<Interface>> open_backend(std::span<const Backend<Interface, Options>> table,
                                                std::string_view what, const Options& options) {
  std::string known;
  for (const auto& backend : table) {
    if (backend.type == options.type) return backend.open(options);
    known += concat(known.empty() ? "" : ", ", backend.type);
  }
  return Error{Code::unsupported, concat("unknown ", what, " type '", printable(options.type), "'"),
               concat("the known types are ", known)};
}

}  // namespace studio
