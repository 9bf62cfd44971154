#include "content/chunk_index.hpp"

#include <algorithm>
#include <utility>

#include "base/concat.hpp"
#include "content/byte_copy.hpp"
#include "content/named_object.hpp"

namespace studio::content {

namespace {

// With more small index objects than this, some are merged.
constexpr std::size_t k_most_small_tables = 8;
// More often than that nothing is mended in one look-up: what we write ourselves comes back damaged.
constexpr int k_most_mendings = 2;

}  // namespace

ChunkIndex::TablesPointer ChunkIndex::current() {
  const std::lock_guard lock(mutex_);
  return tables_;
}

void ChunkIndex::publish(Tables tables) {
  auto next = std::make_shared<const Tables>(std::move(tables));
  const std::lock_guard lock(mutex_);
  tables_.swap(next);
}

void ChunkIndex::forget() {
  const std::lock_guard changes(changes_);
  replaces_.reset();
  const std::lock_guard lock(mutex_);
  tables_.reset();
}

Result<void> ChunkIndex::load() { return tables_ ? Result<void>() : load_tables(); }

Result<ChunkIndex::TablesPointer> ChunkIndex::loaded() {
  if (auto tables = current()) return tables;
  const std::lock_guard changes(changes_);
  TRY(load());
  return tables_;
}

// After damage was found in these.
Result<ChunkIndex::TablesPointer> ChunkIndex::mended(const TablesPointer& damaged) {
  const std::lock_guard changes(changes_);
  if (tables_ == damaged) TRY(rebuild_tables({}));
  TRY(load());
  return tables_;
}

template <class Action>
auto ChunkIndex::with_tables(const Action& action) -> decltype(action(TablesPointer())) {
  TRY_ASSIGN(TablesPointer tables, loaded());
  for (int mendings = 0;; ++mendings) {
    auto result = action(tables);
    if (result || result.error().code != Code::corrupt || mendings == k_most_mendings) return result;
    TRY_ASSIGN(tables, mended(tables));
  }
}

Result<std::optional<Location>> ChunkIndex::find(const Digest& digest) {
  return with_tables([&](const TablesPointer& tables) -> Result<std::optional<Location>> {
    std::optional<Location> suspect;
    const index_layout::FilterKey key(digest.view());
    for (const TablePointer& named : *tables) named->table.prefetch(key);
    for (const TablePointer& named : *tables) {
      auto found = named->table.find(digest, key);
      if (!found || (*found && !(*found)->suspect)) return found;
      if (*found) suspect = **found;
    }
    return suspect;
  });
}

Result<std::optional<Location>> ChunkIndex::find_anew(const Digest& digest) {
  // A listing is no snapshot: while tables are merged it may show neither the old ones nor the new one, so one more
  // try.
  constexpr int k_most_loadings = 2;
  for (int loadings = 0;; ++loadings) {
    auto found = find(digest);
    if (!found || *found || loadings == k_most_loadings) return found;
    const std::lock_guard changes(changes_);
    TRY(load_tables());
  }
}

std::vector<Location> ChunkIndex::all_locations(const Digest& digest) {
  std::vector<Location> locations;
  const auto tables = current();
  if (!tables) return locations;
  const index_layout::FilterKey key(digest.view());
  for (const TablePointer& named : *tables)
    if (const auto found = named->table.find(digest, key); found && *found) locations.push_back(**found);
  return locations;
}

Result<void> ChunkIndex::for_each(const ChunkVisitor& visit) {
  TRY_ASSIGN(const auto sound, with_tables([](const TablesPointer& tables) -> Result<TablesPointer> {
               for (const TablePointer& named : *tables) TRY(named->table.check());
               return tables;
             }));
  std::vector<const IndexTable*> tables;
  for (const TablePointer& named : *sound) tables.push_back(&named->table);
  return for_each_chunk(tables, visit);
}

Result<std::uint64_t> ChunkIndex::suspects() {
  const std::lock_guard changes(changes_);
  TRY(load_tables());
  std::uint64_t sum = 0;
  for (const TablePointer& named : *tables_) sum += named->table.suspects();
  return sum;
}

Result<std::vector<Digest>> ChunkIndex::list_tables() {
  std::vector<Digest> names;
  TRY(store_.list(k_index_prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    const auto name = Digest::from_hex(std::string_view(info.key).substr(k_index_prefix.size()));
    if (name) names.push_back(*name);  // others are strangers' files
    return {};
  }));
  return names;
}

Result<bool> ChunkIndex::has_packs() {
  bool found = false;
  const auto listed = store_.list(k_pack_prefix, [&](const blob::ObjectInfo&) -> Result<void> {
    found = true;
    return Error{Code::cancelled, "one is enough"};
  });
  if (!listed && !found) return listed.error();
  return found;
}

// Whether the store has, beside what we rebuilt, just what that is to replace.
bool ChunkIndex::is_what_we_replace(std::vector<Digest> names) {
  if (!replaces_ || !tables_) return false;
  for (const TablePointer& named : *tables_)
    if (named->is_stored) std::erase(names, named->name);
  return names == *replaces_;
}

Result<void> ChunkIndex::load_tables() {
  // Another process may merge tables between our listing and our reading: then list again.
  constexpr int k_most_tries = 10;
  for (int tries = 0; tries < k_most_tries; ++tries) {
    TRY_ASSIGN(const auto names, list_tables());
    if (is_what_we_replace(names)) return {};
    if (names.empty()) {
      TRY_ASSIGN(const bool lost, has_packs());
      if (lost) return rebuild_tables({});
    }
    auto complete = load_new_tables(names);
    if (!complete && is_damage(complete.error())) return rebuild_tables({});
    if (!complete) return complete.error();
    if (*complete) return {};
  }
  return Error{Code::unavailable, "the index of the store is rewritten again and again"};
}

// False if one of them is gone; what we have is then, and on an error, as it was before.
Result<bool> ChunkIndex::load_new_tables(const std::vector<Digest>& names) {
  Tables tables;
  for (const Digest& name : names) {
    if (tables_) {
      const auto known =
          std::find_if(tables_->begin(), tables_->end(), [&](const auto& named) { return named->name == name; });
      if (known != tables_->end()) {
        tables.push_back(*known);
        continue;
      }
    }
    auto object = store_.view(index_key(name));
    if (!object && object.error().code == Code::not_found) return false;
    if (!object) return object.error();
    TRY_ASSIGN(IndexTable table, IndexTable::open(std::move(*object)));
    tables.push_back(std::make_shared<const NamedTable>(NamedTable{name, std::move(table), true}));
  }
  replaces_.reset();
  publish(std::move(tables));
  return true;
}

Result<ChunkIndex::TablePointer> ChunkIndex::keep_in_memory(Bytes bytes) {
  const Digest name = Sha256::of(bytes);
  TRY_ASSIGN(IndexTable table, IndexTable::open(blob::ObjectView(std::move(bytes))));
  return std::make_shared<const NamedTable>(NamedTable{name, std::move(table), false});
}

Result<ChunkIndex::TablePointer> ChunkIndex::put_table(ByteView bytes) {
  const Digest name = Sha256::of(bytes);
  const std::string key = index_key(name);
  TRY(put_named(store_, key, std::span(&bytes, 1)));
  // What the store shows takes less memory than what we have. But others may have merged it away already.
  auto object = store_.view(key);
  auto table = object ? IndexTable::open(std::move(*object)) : Result<IndexTable>(object.error());
  if (!table) table = IndexTable::open(blob::ObjectView(copy_of(bytes)));
  if (!table) return table.error();
  return std::make_shared<const NamedTable>(NamedTable{name, std::move(*table), true});
}

Result<void> ChunkIndex::add(std::vector<IndexedChunk> chunks) {
  if (chunks.empty()) return {};
  const Bytes bytes = build_index(std::move(chunks));
  const std::lock_guard changes(changes_);
  TRY(load());
  // Beside our table a lost index would not be missed any more.
  TRY(store_rebuilt());
  TRY_ASSIGN(const TablePointer added, put_table(bytes));
  Tables tables = *tables_;
  std::erase_if(tables, [&](const TablePointer& named) { return named->name == added->name; });
  tables.push_back(added);
  publish(std::move(tables));
  if (tables_to_merge().empty()) return {};
  auto merged = merge_small_tables();
  if (!merged && merged.error().code == Code::corrupt) merged = rebuild_tables({});
  if (!merged && notice_) notice_(concat("the index of the store could not be merged: ", merged.error().message));
  return {};
}

// The smallest ones, as long as the next is not much larger than all before it: each chunk is rewritten about log n
// times. Nothing is merged into a table that is half full: what is added to it is not worth the rewriting.
ChunkIndex::Tables ChunkIndex::tables_to_merge() {
  Tables small = *tables_;
  std::erase_if(small, [&](const TablePointer& named) { return named->table.size() > most_chunks_ / 2; });
  if (small.size() <= k_most_small_tables) return {};
  std::sort(small.begin(), small.end(), [](const auto& a, const auto& b) { return a->table.size() < b->table.size(); });
  std::uint64_t chunks = 0;
  std::size_t count = 0;
  for (; count < small.size(); ++count) {
    const std::uint64_t size = small[count]->table.size();
    if (chunks + size > most_chunks_ || (count >= k_most_small_tables / 2 && size > 2 * chunks)) break;
    chunks += size;
  }
  small.resize(count);
  return small;
}

Result<void> ChunkIndex::merge_small_tables() {
  // Not those that another process, such as a verification, has replaced since we read them.
  TRY(load_tables());
  const Tables merged = tables_to_merge();
  if (merged.empty()) return {};
  std::vector<const IndexTable*> tables;
  std::uint64_t chunks = 0;
  for (const TablePointer& named : merged) {
    tables.push_back(&named->table);
    chunks += named->table.size();
  }
  IndexBuilder builder(chunks);
  TRY(for_each_chunk(tables, [&](const IndexedChunk& chunk) -> Result<void> {
    builder.add(chunk);
    return {};
  }));
  TRY_ASSIGN(const TablePointer whole, put_table(std::move(builder).finish()));
  Tables left = *tables_;
  std::erase_if(left, [&](const TablePointer& named) {
    return named->name == whole->name || std::find(merged.begin(), merged.end(), named) != merged.end();
  });
  left.push_back(whole);
  publish(std::move(left));
  for (const TablePointer& named : merged)
    if (named->name != whole->name) TRY(store_.remove(index_key(named->name)));
  return {};
}

}  // namespace studio::content
