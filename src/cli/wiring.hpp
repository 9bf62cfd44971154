// Builds what a command works with, when it first needs it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "blob/store.hpp"
#include "catalog/catalog.hpp"
#include "cli/config.hpp"
#include "cli/messages.hpp"
#include "content/repository.hpp"
#include "engine/home.hpp"
#include "engine/services.hpp"
#include "net/api_client.hpp"

namespace studio::cli {

// Borrows its arguments. Not thread-safe; what it hands out lives as long as it does. None of its errors blames the
// command line.
class Wiring {
 public:
  Wiring(const Config& config, engine::Home home, Messages& messages);

  const engine::Home& home() const { return home_; }

  // For `studio run`: the home, the store and the catalog are made if they are missing.
  Result<engine::Services> for_running();
  // For commands that look at runs; records of runs whose Studio died are mended first. Where there is neither a store
  // nor a catalog yet nothing is made: empty ones in memory stand in, so that every command answers as it would for an
  // empty store.
  Result<engine::Services> for_looking();
  // The same without the catalog: a damaged one does not keep the store from being examined.
  Result<content::Repository*> repository_for_looking();
  // Whose a new experiment is: the user that a server knows, unless the configuration says otherwise.
  Result<std::string> owner();

 private:
  Result<std::shared_ptr<net::ApiClient>> server();
  Result<net::ApiOptions> server_options() const;
  Result<void> open_repository();
  void keep_copies_of_the_index();
  Result<void> open_catalog();
  Result<void> rebuild_catalog(const std::string& path);
  Result<void> check_store_is_there();
  Result<void> stand_in_if_nothing_is_there();
  engine::Services services();

  const Config& config_;
  const engine::Home home_;
  Messages& messages_;
  const SystemClock clock_;
  const engine::Reporter report_;
  const std::function<void(const std::string&)> notice_;
  // In the order in which they lean on each other.
  std::shared_ptr<net::ApiClient> server_;
  std::unique_ptr<blob::Store> store_;
  std::unique_ptr<blob::Store> index_copies_;  // of a store that is far away
  std::unique_ptr<blob::Store> cached_store_;
  std::unique_ptr<content::Repository> repository_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<blob::LiveFiles> live_files_;  // of a server
};

}  // namespace studio::cli
