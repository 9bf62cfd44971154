#include "catalog/registry.hpp"

#include <array>
#include <span>

#include "base/backend_table.hpp"
#include "catalog/memory.hpp"
#include "catalog/remote.hpp"
#include "catalog/sqlite.hpp"

namespace studio::catalog {

namespace {

Result<std::unique_ptr<Catalog>> open_sqlite(const CatalogOptions& options) {
  return SqliteCatalog::open({options.path});
}
Result<std::unique_ptr<Catalog>> open_memory(const CatalogOptions&) { return std::make_unique<MemoryCatalog>(); }
Result<std::unique_ptr<Catalog>> open_remote(const CatalogOptions& options) {
  if (options.server == nullptr) return Error{Code::invalid, "a catalog of type http needs a server"};
  return std::make_unique<RemoteCatalog>(options.server);
}

constexpr std::array<Backend<Catalog, CatalogOptions>, 3> k_backends{{
    {"sqlite", open_sqlite},
    {"memory", open_memory},
    {"http", open_remote},
}};
constexpr std::span<const Backend<Catalog, CatalogOptions>> k_table{k_backends};

}  // namespace

std::vector<std::string_view> known_types() { return types_of(k_table); }

Result<std::unique_ptr<Catalog>> open_catalog(const CatalogOptions& options) {
  return open_backend(k_table, "database", options);
}

}  // namespace studio::catalog
