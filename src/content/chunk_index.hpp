// The index of a store: all its index objects, loaded, looked up, added to, merged, rebuilt from the packs.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "base/result.hpp"
#include "blob/store.hpp"
#include "content/index_table.hpp"
#include "content/pack.hpp"

namespace studio::content {

// Thread-safe; look-ups do not wait for each other, nor for changes, unless there is nothing to look in yet. Loaded at
// first use. A damaged or lost index is rebuilt from the packs, and `notice` tells of it; where the store cannot be
// written the rebuilt one serves from memory. Otherwise it takes memory for one table (k_most_chunks) while tables are
// merged or rebuilt, and what the store's views take.
class ChunkIndex {
 public:
  using Notice = std::function<void(const std::string&)>;
  using IsBad = std::function<bool(const Digest& pack, const PackEntry& entry)>;

  // Neither a merge nor a rebuild makes a table of more chunks. So large a table is about as large as a pack, and a
  // capture that merges takes a bounded time, however long the history.
  static constexpr std::uint64_t k_most_chunks = 262'144;

  // Another number of chunks for the sake of tests.
  ChunkIndex(blob::Store& store, Notice notice, std::uint64_t most_chunks = k_most_chunks)
      : store_(store), notice_(std::move(notice)), most_chunks_(most_chunks) {}

  // A place that is not suspect if there is one. As of the last loading.
  Result<std::optional<Location>> find(const Digest& digest);
  // The same, but what others have stored since is found, too.
  Result<std::optional<Location>> find_anew(const Digest& digest);
  // Writers that did not know of each other may have stored a chunk twice.
  std::vector<Location> all_locations(const Digest& digest);
  // Every chunk once, in order of digest. Nothing is visited if that would end in damage: it is mended before.
  Result<void> for_each(const ChunkVisitor& visit);
  // 0 if no chunk is suspect, otherwise a number that differs for other ones. Loads anew.
  Result<std::uint64_t> suspects();

  // One index object, merged with others when there are many. That a merge failed is only a notice: the chunks are
  // known, and the next call tries again.
  Result<void> add(std::vector<IndexedChunk> chunks);
  // From the packs' footers; replaces every index object. Chunks for which `is_bad`, without one those that the old
  // index knows as suspect, are suspect; as are those of packs that are missing or whose footer is damaged, as far as
  // the old index knows them.
  Result<void> rebuild(const IsBad& is_bad = {});
  bool was_rebuilt() const { return rebuilt_; }
  // Loaded again at its next use.
  void forget();

 private:
  struct NamedTable {
    Digest name;
    IndexTable table;
    bool is_stored;  // otherwise it is in memory only
  };
  // Shared with the look-ups under way, which may outlast a change of the index.
  using TablePointer = std::shared_ptr<const NamedTable>;
  using Tables = std::vector<TablePointer>;
  using TablesPointer = std::shared_ptr<const Tables>;

  TablesPointer current();
  Result<TablesPointer> loaded();
  Result<TablesPointer> mended(const TablesPointer& damaged);
  template <class Action>
  auto with_tables(const Action& action) -> decltype(action(TablesPointer()));

  // The functions below expect changes_ to be held.
  Result<void> load();
  Result<void> load_tables();
  Result<bool> load_new_tables(const std::vector<Digest>& names);
  Result<std::vector<Digest>> list_tables();
  Result<bool> has_packs();
  bool is_what_we_replace(std::vector<Digest> names);
  void publish(Tables tables);
  static Result<TablePointer> keep_in_memory(Bytes bytes);
  Result<TablePointer> put_table(ByteView bytes);
  Tables tables_to_merge();
  Result<void> merge_small_tables();

  // In chunk_index_rebuild.cpp.
  Result<void> rebuild_tables(const IsBad& is_bad);
  Result<Tables> old_tables(const std::vector<Digest>& names, std::vector<Digest>& replaced);
  static std::set<std::pair<Digest, std::uint32_t>> suspect_places(const Tables& tables);
  Result<void> visit_packs(const Tables& old, const IsBad& is_bad, const ChunkVisitor& visit);
  Result<void> mark_incomplete(std::vector<Digest>& replaced);
  Result<void> store_rebuilt();
  Result<void> remove_replaced();

  blob::Store& store_;
  Notice notice_;
  const std::uint64_t most_chunks_;
  std::atomic<bool> rebuilt_ = false;

  std::mutex changes_;  // held by whoever reads or changes the index objects of the store
  // While not all tables that were rebuilt are in the store: the index objects that they are to replace there.
  std::optional<std::vector<Digest>> replaces_;

  std::mutex mutex_;      // for the pointer only; taken after changes_
  TablesPointer tables_;  // null until loaded; changed only while changes_ is held, too
};

}  // namespace studio::content
