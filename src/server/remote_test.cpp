// A store and a catalog behind a server keep the contracts of those that are at hand.
#include "blob/remote.hpp"

#include <gmock/gmock.h>

#include "blob/remote_live_files.hpp"
#include "catalog/remote.hpp"
#include "contract/blob_store_contract.hpp"
#include "contract/catalog_contract.hpp"
#include "contract/live_files_contract.hpp"
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

struct RemoteLiveFilesBackend {
  blob::LiveFiles& files() { return remote; }
  std::string shown(const blob::LiveFile& file) {
    const auto bytes = os::read_file(server.live_files.path(file));
    return bytes ? std::string(as_text(*bytes)) : "(none)";
  }
  server::testing::TeamServer server;
  bool runs =
      server.catalog.create({.key = "exp", .project = "p", .owner = "root", .created = server.clock.now()}).has_value();
  blob::RemoteLiveFiles remote{server.client(server.root_token)};
};

namespace blob {
INSTANTIATE_TYPED_TEST_SUITE_P(Remote, LiveFilesContract, RemoteLiveFilesBackend);
INSTANTIATE_TYPED_TEST_SUITE_P(Remote, BlobStoreContract, RemoteStoreBackend);
}  // namespace blob
namespace catalog {
INSTANTIATE_TYPED_TEST_SUITE_P(Remote, CatalogContract, RemoteCatalogBackend);
}

}  // namespace studio
