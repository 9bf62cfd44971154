// The kinds of catalog there are. A new backend is one file and one line of the table in registry.cpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "net/api_client.hpp"

namespace studio::catalog {

struct CatalogOptions {
  std::string type;                                  // a name of known_types()
  std::string path = {};                             // of "sqlite"; a "memory" catalog has none, and each is another
  std::shared_ptr<net::ApiClient> server = nullptr;  // of "http"
};

std::vector<std::string_view> known_types();

// `unsupported` if the type is unknown; otherwise the errors of the backend's own open.
Result<std::unique_ptr<Catalog>> open_catalog(const CatalogOptions& options);

}  // namespace studio::catalog
