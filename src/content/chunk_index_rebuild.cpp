// How the index of a store is built anew from its packs.
#include <algorithm>
#include <set>
#include <unordered_set>
#include <utility>

#include "base/concat.hpp"
#include "content/chunk_index.hpp"
#include "content/named_object.hpp"
#include "content/pack_footer.hpp"

namespace studio::content {

namespace {

using Place = std::pair<Digest, std::uint32_t>;  // pack and offset

}  // namespace

// What can still be read of the old index. `replaced` gets all that the new one is to replace.
Result<ChunkIndex::Tables> ChunkIndex::old_tables(const std::vector<Digest>& names, std::vector<Digest>& replaced) {
  Tables old;
  for (const Digest& name : names) {
    auto object = store_.view(index_key(name));
    if (!object && object.error().code == Code::unavailable) return object.error();
    // What we may not read may be whole, and others may need it.
    if (object || object.error().code != Code::denied) replaced.push_back(name);
    if (!object) continue;
    auto table = IndexTable::open(std::move(*object));
    if (!table && table.error().code == Code::unsupported) return table.error();
    if (table) old.push_back(std::make_shared<const NamedTable>(NamedTable{name, std::move(*table), true}));
  }
  return old;
}

// Where chunks lie that no table names as sound. A chunk that was found damaged and then stored again in its old place
// is sound.
std::set<std::pair<Digest, std::uint32_t>> ChunkIndex::suspect_places(const Tables& tables) {
  std::set<Place> places;
  const auto for_each = [&](const TablePointer& named, bool suspect, const auto& visit) {
    return named->table.for_each_readable([&](const IndexedChunk& chunk) -> Result<void> {
      if (chunk.location.suspect == suspect) visit(Place(chunk.location.pack, chunk.location.offset));
      return {};
    });
  };
  for (const TablePointer& named : tables)
    if (named->table.suspects() != 0) (void)for_each(named, true, [&](const Place& place) { places.insert(place); });
  if (places.empty()) return places;
  for (const TablePointer& named : tables)
    (void)for_each(named, false, [&](const Place& place) { places.erase(place); });
  return places;
}

// What the footers of all packs list. Of the other packs, missing or with a damaged footer, what `old` knows.
Result<void> ChunkIndex::visit_packs(const Tables& old, const IsBad& is_bad, const ChunkVisitor& visit) {
  std::unordered_set<Digest, DigestHash> listed;
  const auto visit_pack = [&](const blob::ObjectInfo& info) -> Result<void> {
    const auto pack = pack_of_key(info.key);
    if (!pack) return {};  // a stranger's file; verify reports it
    const auto entries = read_pack_footer(store_, *pack, info.size);
    if (!entries && entries.error().code == Code::not_found) return {};  // removed meanwhile
    if (!entries && !is_damage(entries.error())) return entries.error();
    if (!entries) {
      if (notice_) notice_(entries.error().message);
      return {};
    }
    listed.insert(*pack);
    for (const PackEntry& entry : *entries)
      TRY(visit({entry.digest,
                 {*pack, entry.offset, entry.stored_length, entry.raw_length, entry.codec, is_bad(*pack, entry)}}));
    return {};
  };
  TRY(store_.list(k_pack_prefix, visit_pack));
  const auto visit_unlisted = [&](IndexedChunk chunk) -> Result<void> {
    if (listed.contains(chunk.location.pack)) return {};
    chunk.location.suspect = true;
    return visit(chunk);
  };
  for (const TablePointer& named : old) TRY(named->table.for_each_readable(visit_unlisted));
  return {};
}

// An object that is none: whoever sees it rebuilds the index. It is there while a lost index is put in parts, so that
// those that are there already do not look like all.
Result<void> ChunkIndex::mark_incomplete(std::vector<Digest>& replaced) {
  const ByteView nothing;
  const Digest name = Sha256::of(nothing);
  TRY(put_named(store_, index_key(name), std::span(&nothing, 1)));
  replaced.push_back(name);
  return {};
}

Result<void> ChunkIndex::rebuild_tables(const IsBad& is_bad) {
  // Listed before the packs: a table that comes later may name packs that we do not see, and must stay.
  TRY_ASSIGN(const auto names, list_tables());
  // During the first capture of a store there are packs, but no index yet: nothing is amiss.
  if (notice_ && !(names.empty() && (!tables_ || tables_->empty())))
    notice_("the index of the store is missing or damaged; it is rebuilt from the packs");
  std::vector<Digest> replaced;
  TRY_ASSIGN(const Tables old, old_tables(names, replaced));
  const auto marked = is_bad ? std::set<Place>() : suspect_places(old);
  const auto is_marked = [&](const Digest& pack, const PackEntry& entry) {
    return marked.contains({pack, entry.offset});
  };

  // Who only reads needs no store to write to: what cannot be put is kept in memory. add() tries again.
  Tables rebuilt;
  Result<void> stored;
  std::vector<IndexedChunk> chunks;
  const auto end_table = [&]() -> Result<void> {
    Bytes bytes = build_index(std::exchange(chunks, {}));
    auto table = stored ? put_table(bytes) : Result<TablePointer>(stored.error());
    if (!table) {
      stored = table.error();
      table = keep_in_memory(std::move(bytes));
    }
    if (!table) return table.error();
    rebuilt.push_back(std::move(*table));
    return {};
  };
  const auto add_chunk = [&](const IndexedChunk& chunk) -> Result<void> {
    if (chunks.size() == most_chunks_) {
      if (stored && replaced.empty()) stored = mark_incomplete(replaced);
      TRY(end_table());
    }
    chunks.push_back(chunk);
    return {};
  };
  TRY(visit_packs(old, is_bad ? is_bad : is_marked, add_chunk));
  TRY(end_table());
  publish(std::move(rebuilt));
  replaces_ = std::move(replaced);
  if (stored) stored = remove_replaced();
  if (!stored && notice_) notice_(concat("the rebuilt index could not be stored: ", stored.error().message));
  return {};
}

// Puts what was rebuilt in the place of what it replaces, unless that is done.
Result<void> ChunkIndex::store_rebuilt() {
  if (!replaces_) return {};
  Tables tables = *tables_;
  for (TablePointer& named : tables) {
    if (named->is_stored) continue;
    TRY_ASSIGN(named, put_table(named->table.bytes()));
  }
  publish(std::move(tables));
  return remove_replaced();
}

Result<void> ChunkIndex::remove_replaced() {
  rebuilt_ = true;
  const auto replaced = *std::move(replaces_);
  replaces_.reset();
  for (const Digest& name : replaced) {
    const bool is_ours =
        std::any_of(tables_->begin(), tables_->end(), [&](const auto& named) { return named->name == name; });
    if (!is_ours) TRY(store_.remove(index_key(name)));
  }
  return {};
}

Result<void> ChunkIndex::rebuild(const IsBad& is_bad) {
  const std::lock_guard changes(changes_);
  return rebuild_tables(is_bad);
}

}  // namespace studio::content
