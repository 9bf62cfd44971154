// A store and a catalog behind a server keep the contracts of those that are at hand.
#include "blob/remote.hpp"

#include <gmock/gmock.h>

#include "catalog/remote.hpp"
#include "contract/blob_store_contract.hpp"
#include "contract/catalog_contract.hpp"
#include "server/team_testing.hpp"

namespace studio {

struct RemoteStoreBackend {
  blob::Store& store() { return first; }
  blob::Store& another() { return second; }
  server::testing::TeamServer server;
  // A server begins with a repository, of which a contract's empty store knows nothing.
  bool is_empty = [this] { return server.store.remove("studio.json").has_value(); }();
  blob::RemoteStore first{server.client(server.root_token)};
  blob::RemoteStore second{server.client(server.root_token)};
};

struct RemoteCatalogBackend {
  catalog::Catalog& catalog() { return first; }
  catalog::Catalog& another() { return second; }
  server::testing::TeamServer server;
  catalog::RemoteCatalog first{server.client(server.root_token)};
  catalog::RemoteCatalog second{server.client(server.root_token)};
};

namespace blob {
INSTANTIATE_TYPED_TEST_SUITE_P(Remote, BlobStoreContract, RemoteStoreBackend);
}
namespace catalog {
INSTANTIATE_TYPED_TEST_SUITE_P(Remote, CatalogContract, RemoteCatalogBackend);
}

}  // namespace studio
