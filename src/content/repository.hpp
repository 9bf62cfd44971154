// content::Repository: versions of directory trees, deduplicated, over any blob::Store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "blob/store.hpp"
#include "content/chunk_store.hpp"
#include "content/saver.hpp"
#include "model/version.hpp"

namespace studio::content {

struct RepositoryOptions {
  std::string cache_directory;  // where stat caches are kept; empty: nowhere
  ChunkStore::Notice notice = {};
  bool split_numbers = true;  // floating-point data is stored in planes (compression.hpp)
};

// What save() made, flushed: every chunk is durable. A version that names it may be published.
struct Saved {
  SavedTree tree;
  bool changed = true;  // against the version before; otherwise the tree is that one's
  model::Changes changes;
  std::uint64_t new_bytes = 0;
  std::uint64_t stored_bytes = 0;
  std::uint64_t suspects = 0;  // what was known of damage in the store when the save began
};

// Key of a version's manifest: "experiments/KEY/artifacts/TAG/v000012". Both names must be valid.
std::string manifest_key(std::string_view experiment, std::string_view tag, std::uint64_t number);
// "experiments/KEY/attempts/N/environment.json"
std::string environment_key(std::string_view experiment, std::uint64_t attempt);
// "experiments/KEY/attempts/N/resources.json"
std::string resources_key(std::string_view experiment, std::uint64_t attempt);
inline constexpr std::string_view k_experiments_prefix = "experiments/";

// Thread-safe, except that one artifact must not be saved twice at a time. Borrows the store and the clock.
class Repository {
 public:
  // Makes `studio.json` if the store is new. `unsupported` if the store has a newer format: nothing was written then.
  static Result<std::unique_ptr<Repository>> open(blob::Store& store, const Clock& clock, RepositoryOptions options);

  // `request.cache_path` is chosen here.
  Result<Saved> save(SaveRequest request, std::stop_token stop = {});
  // Writes the manifest. `already_exists` if that version is there with another content; the same again is fine.
  Result<void> publish(const model::Version& version);
  // After publish (or when nothing changed): the next save of the path may use what this one learnt. `version` is the
  // one that holds the tree.
  void remember(Saved& saved, const std::string& path, const model::Version& version);
  // That path will not be saved again.
  void forget(const std::string& path);

  // Every version in the store, in byte order of their keys; of one experiment if `experiment` is not empty. A manifest
  // that is damaged is handed to `damaged` (may be empty), or else ends the walk.
  Result<std::vector<model::Version>> published(
      std::string_view experiment = {}, const std::function<void(const std::string& key, const Error&)>& damaged = {});

  ChunkStore& chunks() { return chunks_; }
  blob::Store& objects() { return store_; }
  const std::string& id() const { return id_; }

 private:
  Repository(blob::Store& store, const Clock& clock, RepositoryOptions options);
  Result<void> load_or_create();
  Result<void> parse_settings(ByteView json);
  std::string cache_path(const std::string& source) const;
  std::optional<StatCache> usable_cache(const std::string& source, std::uint64_t suspects);

  blob::Store& store_;
  const Clock& clock_;
  RepositoryOptions options_;
  ChunkStore chunks_;
  ChunkerParameters parameters_;
  std::string id_;
};

}  // namespace studio::content
