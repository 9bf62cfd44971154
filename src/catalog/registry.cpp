#include "catalog/registry.hpp"

#include <array>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "catalog/memory.hpp"
#include "catalog/sqlite.hpp"

namespace studio::catalog {

namespace {

struct Backend {
  std::string_view type;
  Result<std::unique_ptr<Catalog>> (*open)(const CatalogOptions&);
};

Result<std::unique_ptr<Catalog>> open_sqlite(const CatalogOptions& options) {
  return SqliteCatalog::open({options.path});
}
Result<std::unique_ptr<Catalog>> open_memory(const CatalogOptions&) { return std::make_unique<MemoryCatalog>(); }

constexpr std::array<Backend, 2> k_backends{{
    {"sqlite", open_sqlite},
    {"memory", open_memory},
}};

}  // namespace

std::vector<std::string_view> known_types() {
  std::vector<std::string_view> types;
  types.reserve(k_backends.size());
  for (const Backend& backend : k_backends) types.push_back(backend.type);
  return types;
}

Result<std::unique_ptr<Catalog>> open_catalog(const CatalogOptions& options) {
  std::string known;
  for (const Backend& backend : k_backends) {
    if (backend.type == options.type) return backend.open(options);
    known += concat(known.empty() ? "" : ", ", backend.type);
  }
  return Error{Code::unsupported, concat("unknown database type '", printable(options.type), "'"),
               concat("the known types are ", known)};
}

}  // namespace studio::catalog
