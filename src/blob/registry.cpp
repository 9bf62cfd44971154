#include "blob/registry.hpp"

#include <array>
#include <span>

#include "base/backend_table.hpp"
#include "blob/local.hpp"
#include "blob/memory.hpp"
#include "blob/remote.hpp"

namespace studio::blob {

namespace {

Result<std::unique_ptr<Store>> open_local(const StoreOptions& options) { return LocalStore::open({options.path}); }
Result<std::unique_ptr<Store>> open_memory(const StoreOptions&) { return std::make_unique<MemoryStore>(); }
Result<std::unique_ptr<Store>> open_remote(const StoreOptions& options) {
  if (options.server == nullptr) return Error{Code::invalid, "a store of type http needs a server"};
  return std::make_unique<RemoteStore>(options.server);
}

constexpr std::array<Backend<Store, StoreOptions>, 3> k_backends{{
    {"local", open_local},
    {"memory", open_memory},
    {"http", open_remote},
}};
constexpr std::span<const Backend<Store, StoreOptions>> k_table{k_backends};

}  // namespace

std::vector<std::string_view> known_types() { return types_of(k_table); }

Result<std::unique_ptr<Store>> open_store(const StoreOptions& options) {
  return open_backend(k_table, "storage", options);
}

}  // namespace studio::blob
