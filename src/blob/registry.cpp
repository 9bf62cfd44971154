#include "blob/registry.hpp"

#include <array>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "blob/local.hpp"
#include "blob/memory.hpp"

namespace studio::blob {

namespace {

struct Backend {
  std::string_view type;
  Result<std::unique_ptr<Store>> (*open)(const StoreOptions&);
};

Result<std::unique_ptr<Store>> open_local(const StoreOptions& options) { return LocalStore::open({options.path}); }
Result<std::unique_ptr<Store>> open_memory(const StoreOptions&) { return std::make_unique<MemoryStore>(); }

constexpr std::array<Backend, 2> k_backends{{
    {"local", open_local},
    {"memory", open_memory},
}};

}  // namespace

std::vector<std::string_view> known_types() {
  std::vector<std::string_view> types;
  types.reserve(k_backends.size());
  for (const Backend& backend : k_backends) types.push_back(backend.type);
  return types;
}

Result<std::unique_ptr<Store>> open_store(const StoreOptions& options) {
  std::string known;
  for (const Backend& backend : k_backends) {
    if (backend.type == options.type) return backend.open(options);
    known += concat(known.empty() ? "" : ", ", backend.type);
  }
  return Error{Code::unsupported, concat("unknown storage type '", printable(options.type), "'"),
               concat("the known types are ", known)};
}

}  // namespace studio::blob
