// Where things lie under Studio's home directory ($STUDIOML_HOME, ~/.studioml).
#pragma once

#include <cstdint>
#include <string>

#include "base/concat.hpp"

namespace studio::engine {

// The names of an experiment must be valid (base/name.hpp). Nothing is created here.
struct Home {
  std::string root;        // absolute
  std::string place = {};  // below it, of runs that another catalog than the home's own records: "/servers/NAME"

  std::string store() const { return concat(root, "/store"); }
  std::string catalog() const { return concat(root, "/studio.db"); }
  std::string config() const { return concat(root, "/config.yaml"); }
  std::string credentials() const { return concat(root, "/credentials.json"); }
  // Of `studio server`.
  std::string accounts() const { return concat(root, "/server/accounts.json"); }
  std::string live_files() const { return concat(root, "/server/live"); }
  // Of the store of a server, for its runs.
  std::string index_copies() const { return concat(root, place, "/cache/index"); }
  std::string stat_caches() const { return concat(root, "/cache/stat"); }
  std::string packages() const { return concat(root, "/cache/python"); }
  // What `studio ui` restores for TensorBoard.
  std::string boards() const { return concat(root, "/cache/tensorboard"); }
  std::string blob_cache() const { return concat(root, "/blobcache"); }
  std::string blob_cache_lock(const std::string& digest) const { return concat(root, "/locks/blob-", digest); }
  // Held by the `studio run` of the experiment for as long as it lives.
  std::string run_lock(const std::string& key) const { return concat(root, place, "/locks/run-", key); }
  // Local directories of an experiment's attempts.
  std::string experiment(const std::string& key) const { return concat(root, place, "/experiments/", key); }
  std::string attempt(const std::string& key, std::uint64_t number) const {
    return concat(experiment(key), "/attempts/", number);
  }
};

}  // namespace studio::engine
