#include "content/chunk_store.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <set>
#include <unordered_set>
#include <utility>

#include "base/concat.hpp"

namespace studio::content {

namespace {

using Place = std::pair<Digest, std::uint32_t>;  // pack and offset

// A pack that the index names but that is gone is damage, not an absence that a caller may expect.
template <class T>
Result<T> of_pack(Result<T> got) {
  if (!got && (is_damage(got.error()) || got.error().code == Code::not_found || got.error().code == Code::invalid)) {
    got.error().code = Code::corrupt;
    got.error().hint = "run 'studio store verify' to see which files are affected";
  }
  return got;
}

// As many neighbouring stored bytes are fetched in one read.
constexpr std::uint64_t k_read_ahead = 4 << 20;
// With more index objects than this, the small ones are merged.
constexpr std::size_t k_most_tables = 8;

Result<Bytes> check_chunk(const Digest& digest, const Location& location, ByteView stored) {
  auto raw = decode(location.codec, stored, location.raw_length);
  if (raw && Sha256::of(*raw) == digest) return raw;
  if (!raw && raw.error().code == Code::unsupported) return raw.error();
  return Error{Code::corrupt,
               concat("chunk ", digest.hex(), " in ", pack_key(location.pack), " does not match its digest"),
               "run 'studio store verify' to see which files are affected"};
}

bool is_concatenation(ByteView whole, std::span<const ByteView> parts) {
  for (const ByteView part : parts) {
    if (part.size() > whole.size() || !std::equal(part.begin(), part.end(), whole.begin())) return false;
    whole = whole.subspan(part.size());
  }
  return whole.empty();
}

// Puts an object whose name says what is in it. One that is there, put by another writer or before a crash, is as good
// as ours, unless it is damaged: then it is replaced.
Result<void> put_named(blob::Store& store, const std::string& key, std::span<const ByteView> parts) {
  const auto put = store.put(key, parts, blob::Condition::if_absent());
  if (put) return {};
  if (put.error().code != Code::already_exists) return put.error();
  const auto present = store.get(key);
  if (present && is_concatenation(*present, parts)) return {};
  if (!present && present.error().code != Code::not_found && !is_damage(present.error())) return present.error();
  const auto replaced = store.put(key, parts, blob::Condition::none());
  if (!replaced) return replaced.error();
  return {};
}

// Of chunks that no table names as sound. A chunk that was found damaged and then stored again in its old place is
// sound.
std::set<Place> suspect_places(const std::vector<IndexedChunk>& chunks) {
  std::set<Place> places;
  for (const auto& [digest, location] : chunks)
    if (location.suspect) places.emplace(location.pack, location.offset);
  for (const auto& [digest, location] : chunks)
    if (!places.empty() && !location.suspect) places.erase({location.pack, location.offset});
  return places;
}

Result<Bytes> read_verified(blob::Store& store, const Digest& digest, const Location& location) {
  TRY_ASSIGN(const Bytes stored,
             of_pack(store.get(pack_key(location.pack), {location.offset, location.stored_length})));
  return check_chunk(digest, location, stored);
}

// A chunk that is wanted, where it lies, and where it is to go.
struct Piece {
  Location location;
  const ChunkRef* chunk;
  std::span<std::byte> into;
};

bool lies_before(const Piece& a, const Piece& b) {
  return a.location.pack != b.location.pack ? a.location.pack < b.location.pack
                                            : a.location.offset < b.location.offset;
}

// How many of the first ones lie one behind the other.
std::size_t length_of_run(std::span<const Piece> pieces) {
  std::uint64_t length = pieces.front().location.stored_length;
  std::size_t count = 1;
  for (; count < pieces.size(); ++count) {
    const Location& last = pieces[count - 1].location;
    const Location& next = pieces[count].location;
    const bool adjacent = next.pack == last.pack && next.offset == std::uint64_t{last.offset} + last.stored_length;
    if (!adjacent || length + next.stored_length > k_read_ahead) break;
    length += next.stored_length;
  }
  return count;
}

// Whether the stored bytes of all are what is wanted, in one piece.
bool is_raw(std::span<const Piece> run) {
  for (std::size_t i = 0; i < run.size(); ++i) {
    const bool raw = run[i].location.codec == Codec::raw && run[i].location.stored_length == run[i].into.size();
    const bool follows = i == 0 || run[i - 1].into.data() + run[i - 1].into.size() == run[i].into.data();
    if (!raw || !follows) return false;
  }
  return true;
}

// Brings a run of neighbours where they are to go; not verified.
Result<void> fetch(blob::Store& store, std::span<const Piece> run) {
  const Location& first = run.front().location;
  const Location& last = run.back().location;
  const std::size_t length = last.offset - first.offset + std::size_t{last.stored_length};
  const auto get = [&](std::span<std::byte> buffer) -> Result<void> {
    TRY_ASSIGN(const std::size_t got,
               of_pack(store.get_into(pack_key(first.pack), first.offset, buffer)));
    if (got != buffer.size()) return Error{Code::corrupt, concat(pack_key(first.pack), " is cut off")};
    return {};
  };
  if (is_raw(run)) return get({run.front().into.data(), length});
  thread_local Bytes stored;
  if (stored.size() < length) stored.resize(length);
  TRY(get(std::span(stored).first(length)));
  for (const auto& [location, chunk, into] : run)
    TRY(decode_into(location.codec, ByteView(stored).subspan(location.offset - first.offset, location.stored_length),
                    into));
  return {};
}

Result<void> copy_chunk(ByteView chunk, std::span<std::byte> into) {
  if (chunk.size() != into.size()) return Error{Code::corrupt, "a chunk is not as long as what refers to it says"};
  if (!chunk.empty()) std::memcpy(into.data(), chunk.data(), chunk.size());
  return {};
}

}  // namespace

Result<void> ChunkSource::read_into(std::span<const ChunkRef> chunks, std::span<std::byte> into) {
  for (const ChunkRef& chunk : chunks) {
    TRY_ASSIGN(const Bytes bytes, read(chunk.digest));
    TRY(copy_chunk(bytes, into.first(chunk.size)));
    into = into.subspan(chunk.size);
  }
  return {};
}

Result<void> ChunkStore::load() {
  if (loaded_) return {};
  TRY(load_tables());
  loaded_ = true;
  return {};
}

Result<std::vector<Digest>> ChunkStore::list_tables() {
  std::vector<Digest> names;
  TRY(store_.list(k_index_prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    const auto name = Digest::from_hex(std::string_view(info.key).substr(k_index_prefix.size()));
    if (name) names.push_back(*name);  // others are strangers' files
    return {};
  }));
  return names;
}

Result<bool> ChunkStore::has_packs() {
  bool found = false;
  const auto listed = store_.list(k_pack_prefix, [&](const blob::ObjectInfo&) -> Result<void> {
    found = true;
    return Error{Code::cancelled, "one is enough"};
  });
  if (!listed && !found) return listed.error();
  return found;
}

Result<void> ChunkStore::load_tables() {
  // Another process may merge tables between our listing and our reading: then list again.
  constexpr int k_most_tries = 10;
  for (int tries = 0; tries < k_most_tries; ++tries) {
    TRY_ASSIGN(const auto names, list_tables());
    if (replaces_ == names) return {};  // what we have is what they would be rebuilt to
    if (names.empty()) {
      TRY_ASSIGN(const bool lost, has_packs());
      if (lost) return rebuild();
      tables_.clear();
      return {};
    }
    auto complete = load_new_tables(names);
    if (!complete && is_damage(complete.error())) return rebuild();
    if (!complete) return complete.error();
    if (*complete) return {};
  }
  return Error{Code::unavailable, "the index of the store is rewritten again and again"};
}

// False if one of them is gone; `tables_` is then, and on an error, as it was before.
Result<bool> ChunkStore::load_new_tables(const std::vector<Digest>& names) {
  std::vector<NamedTable> added;
  for (const Digest& name : names) {
    const auto has_name = [&](const NamedTable& named) { return named.name == name; };
    if (std::any_of(tables_.begin(), tables_.end(), has_name)) continue;
    auto bytes = store_.get(index_key(name));
    if (!bytes && bytes.error().code == Code::not_found) return false;
    if (!bytes) return bytes.error();
    TRY_ASSIGN(IndexTable table, IndexTable::open(std::move(*bytes)));
    added.push_back({name, std::move(table)});
  }
  std::erase_if(tables_, [&](const NamedTable& named) {
    return std::find(names.begin(), names.end(), named.name) == names.end();
  });
  std::move(added.begin(), added.end(), std::back_inserter(tables_));
  replaces_.reset();
  return true;
}

Result<std::vector<PackEntry>> ChunkStore::read_footer(const Digest& pack, const blob::ObjectInfo& info) {
  constexpr std::uint64_t k_guess = 64 << 10;  // the footer of nearly every pack is smaller
  const auto read_tail = [&](std::uint64_t size) {
    size = std::min(size, info.size);
    return store_.get(info.key, {info.size - size, size});
  };
  TRY_ASSIGN(Bytes tail, read_tail(k_guess));
  TRY_ASSIGN(const std::uint64_t size, pack_tail_size(pack, tail, info.size));
  if (size > tail.size()) {
    TRY_ASSIGN(tail, read_tail(size));
  }
  return parse_pack_tail(pack, tail, info.size);
}

// What the footers of all packs list. Of the other packs, missing or with a damaged footer, what `old` knows.
Result<std::vector<IndexedChunk>> ChunkStore::chunks_of_packs(const std::vector<IndexedChunk>& old,
                                                              const IsBad& is_bad) {
  std::vector<IndexedChunk> chunks;
  std::unordered_set<Digest, DigestHash> listed;
  TRY(store_.list(k_pack_prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    const auto pack = pack_of_key(info.key);
    if (!pack) return {};  // a stranger's file; verify reports it
    const auto entries = read_footer(*pack, info);
    if (!entries && entries.error().code == Code::not_found) return {};  // removed meanwhile
    if (!entries && !is_damage(entries.error())) return entries.error();
    if (!entries) {
      if (notice_) notice_(entries.error().message);
      return {};
    }
    listed.insert(*pack);
    for (const PackEntry& entry : *entries)
      chunks.push_back(
          {entry.digest,
           {*pack, entry.offset, entry.stored_length, entry.raw_length, entry.codec, is_bad(*pack, entry)}});
    return {};
  }));
  for (IndexedChunk chunk : old) {
    if (listed.contains(chunk.location.pack)) continue;
    chunk.location.suspect = true;
    chunks.push_back(chunk);
  }
  return chunks;
}

Result<void> ChunkStore::rebuild(const IsBad& is_bad) {
  // Listed before the packs: a table that comes later may name packs that we do not see, and must stay.
  TRY_ASSIGN(const auto names, list_tables());
  // During the first capture of a store there are packs, but no index yet: nothing is amiss.
  if (notice_ && !(names.empty() && tables_.empty()))
    notice_("the index of the store is missing or damaged; it is rebuilt from the packs");
  std::vector<IndexedChunk> old;
  std::vector<Digest> replaced;
  for (const Digest& name : names) {
    auto bytes = store_.get(index_key(name));
    if (!bytes && bytes.error().code == Code::unavailable) return bytes.error();
    // What we may not read may be whole, and others may need it.
    if (bytes || bytes.error().code != Code::denied) replaced.push_back(name);
    if (!bytes) continue;
    const auto table = IndexTable::open(std::move(*bytes));
    if (!table && table.error().code == Code::unsupported) return table.error();
    if (!table) continue;
    const auto readable = table->readable_chunks();
    old.insert(old.end(), readable.begin(), readable.end());
  }
  const auto marked = suspect_places(old);
  const auto is_marked = [&](const Digest& pack, const PackEntry& entry) {
    return marked.contains({pack, entry.offset});
  };
  TRY_ASSIGN(auto chunks, chunks_of_packs(old, is_bad ? is_bad : is_marked));
  Bytes bytes = build_index(std::move(chunks));
  const Digest name = Sha256::of(bytes);
  TRY_ASSIGN(IndexTable table, IndexTable::open(std::move(bytes)));
  tables_.clear();
  tables_.push_back({name, std::move(table)});
  loaded_ = true;
  replaces_ = std::move(replaced);
  // Who only reads needs no more; add() tries again.
  const auto stored = store_rebuilt();
  if (!stored && notice_) notice_(concat("the rebuilt index could not be stored: ", stored.error().message));
  return {};
}

// Puts a rebuilt table in the place of those that it replaces, unless that is done.
Result<void> ChunkStore::store_rebuilt() {
  if (!replaces_) return {};
  TRY_ASSIGN(const Digest kept, put_table(tables_.front().table.bytes()));
  rebuilt_ = true;
  const std::vector<Digest> replaced = std::move(*replaces_);
  replaces_.reset();
  for (const Digest& name : replaced)
    if (name != kept) TRY(store_.remove(index_key(name)));
  return {};
}

Result<void> ChunkStore::rebuild_index(const IsBad& is_bad) {
  const std::lock_guard lock(mutex_);
  return rebuild(is_bad);
}

void ChunkStore::forget() {
  const std::lock_guard lock(mutex_);
  tables_.clear();
  replaces_.reset();
  loaded_ = false;
}

Result<std::uint64_t> ChunkStore::suspects() {
  const std::lock_guard lock(mutex_);
  TRY(load_tables());
  loaded_ = true;
  std::uint64_t sum = 0;
  for (const NamedTable& named : tables_) sum += named.table.suspects();
  return sum;
}

Result<Digest> ChunkStore::put_table(ByteView bytes) {
  const Digest name = Sha256::of(bytes);
  TRY(put_named(store_, index_key(name), std::span(&bytes, 1)));
  return name;
}

Result<void> ChunkStore::add(std::vector<IndexedChunk> chunks) {
  if (chunks.empty()) return {};
  Bytes bytes = build_index(std::move(chunks));
  const std::lock_guard lock(mutex_);
  TRY(load());
  // Beside our table a lost index would not be missed any more.
  TRY(store_rebuilt());
  TRY_ASSIGN(const Digest name, put_table(bytes));
  TRY_ASSIGN(IndexTable table, IndexTable::open(std::move(bytes)));
  const auto has_name = [&](const NamedTable& named) { return named.name == name; };
  if (std::none_of(tables_.begin(), tables_.end(), has_name)) tables_.push_back({name, std::move(table)});
  if (tables_.size() <= k_most_tables) return {};
  auto merged = merge_small_tables();
  if (!merged && merged.error().code == Code::corrupt) merged = rebuild();
  if (!merged && notice_) notice_(concat("the index of the store could not be merged: ", merged.error().message));
  return {};
}

Result<void> ChunkStore::merge_small_tables() {
  // Not those that another process, such as a verification, has replaced since we read them.
  TRY(load_tables());
  if (tables_.size() <= k_most_tables) return {};
  // The smallest ones, as long as the next is not much larger than all before it: each chunk is rewritten about log n
  // times.
  std::sort(tables_.begin(), tables_.end(),
            [](const NamedTable& a, const NamedTable& b) { return a.table.size() < b.table.size(); });
  std::vector<IndexedChunk> chunks;
  std::size_t count = 0;
  for (const NamedTable& named : tables_) {
    if (count >= k_most_tables / 2 && named.table.size() > 2 * chunks.size()) break;
    TRY_ASSIGN(const auto more, named.table.chunks());
    chunks.insert(chunks.end(), more.begin(), more.end());
    ++count;
  }
  Bytes bytes = build_index(std::move(chunks));
  TRY_ASSIGN(const Digest name, put_table(bytes));
  TRY_ASSIGN(IndexTable table, IndexTable::open(std::move(bytes)));
  const auto first_kept = tables_.begin() + static_cast<std::ptrdiff_t>(count);
  const std::vector<NamedTable> merged(std::move_iterator(tables_.begin()), std::move_iterator(first_kept));
  tables_.erase(tables_.begin(), first_kept);
  tables_.push_back({name, std::move(table)});
  for (const NamedTable& named : merged)
    if (named.name != name) TRY(store_.remove(index_key(named.name)));
  return {};
}

Result<std::optional<Location>> ChunkStore::find(const Digest& digest) {
  TRY(load());
  std::optional<Location> suspect;
  for (const NamedTable& named : tables_) {
    auto found = named.table.find(digest);
    if (!found && found.error().code == Code::corrupt) {
      TRY(rebuild());
      return tables_.front().table.find(digest);
    }
    if (!found) return found;
    if (*found && !(*found)->suspect) return found;
    if (*found) suspect = *found;
  }
  return suspect;
}

Result<bool> ChunkStore::contains(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const auto found, find(digest));
  return found && !found->suspect;
}

Result<Location> ChunkStore::locate(const Digest& digest) {
  // Another process may have stored it since we loaded the index. A listing is no snapshot: while tables are merged it
  // may show neither the old ones nor the new one, so one more try.
  const std::lock_guard lock(mutex_);
  for (int tries = 0;; ++tries) {
    TRY_ASSIGN(const auto found, find(digest));
    if (found) return *found;
    if (tries == 2) break;
    TRY(load_tables());
  }
  return Error{Code::corrupt, concat("chunk ", digest.hex(), " is missing from the store"),
               "run 'studio store verify' to see which files are affected"};
}

// Writers that did not know of each other may have stored a chunk twice.
std::vector<Location> ChunkStore::all_locations(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  std::vector<Location> locations;
  for (const NamedTable& named : tables_)
    if (const auto found = named.table.find(digest); found && *found) locations.push_back(**found);
  return locations;
}

Result<Bytes> ChunkStore::read(const Digest& digest) {
  TRY_ASSIGN(const Location location, locate(digest));
  const auto chunk = read_verified(store_, digest, location);
  if (chunk || chunk.error().code != Code::corrupt) return chunk;
  for (const Location& other : all_locations(digest)) {
    if (other.pack == location.pack && other.offset == location.offset) continue;
    auto copy = read_verified(store_, digest, other);
    if (copy || copy.error().code != Code::corrupt) return copy;
  }
  return chunk;
}

// By itself: damage beside it is no reason to give up, and there may be another copy.
Result<void> ChunkStore::read_again(const ChunkRef& chunk, std::span<std::byte> into) {
  TRY_ASSIGN(const Bytes bytes, read(chunk.digest));
  return copy_chunk(bytes, into);
}

Result<void> ChunkStore::read_into(std::span<const ChunkRef> chunks, std::span<std::byte> into) {
  std::vector<Piece> pieces;
  pieces.reserve(chunks.size());
  std::size_t at = 0;
  for (const ChunkRef& chunk : chunks) {
    TRY_ASSIGN(const Location location, locate(chunk.digest));
    pieces.push_back({location, &chunk, into.subspan(at, chunk.size)});
    at += chunk.size;
  }
  std::sort(pieces.begin(), pieces.end(), lies_before);
  for (std::size_t first = 0; first < pieces.size();) {
    const auto run = std::span(pieces).subspan(first, length_of_run(std::span(pieces).subspan(first)));
    const auto fetched = fetch(store_, run);
    if (!fetched && fetched.error().code != Code::corrupt) return fetched.error();
    if (!fetched)
      for (const Piece& piece : run) TRY(read_again(*piece.chunk, piece.into));
    first += run.size();
  }
  std::vector<ByteView> raw;
  raw.reserve(pieces.size());
  for (const Piece& piece : pieces) raw.emplace_back(piece.into);
  std::vector<Digest> digests(pieces.size());
  Sha256::of_each(raw, digests);
  for (std::size_t i = 0; i < pieces.size(); ++i)
    if (digests[i] != pieces[i].chunk->digest) TRY(read_again(*pieces[i].chunk, pieces[i].into));
  return {};
}

Result<std::vector<IndexedChunk>> ChunkStore::all_chunks() {
  const std::lock_guard lock(mutex_);
  TRY(load());
  std::vector<IndexedChunk> all;
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    auto more = tables_[i].table.chunks();
    if (!more && more.error().code == Code::corrupt) {
      TRY(rebuild());
      return tables_.front().table.chunks();
    }
    if (!more) return more.error();
    all.insert(all.end(), more->begin(), more->end());
  }
  std::sort(all.begin(), all.end(), comes_before);
  all.erase(std::unique(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.digest == b.digest; }),
            all.end());
  return all;
}

Result<std::vector<IndexedChunk>> ChunkStore::put_pack(const PackBuilder& pack) {
  const PackBuilder::Finished finished = pack.finish();
  const std::array<ByteView, 2> parts{pack.body(), finished.footer};
  TRY(put_named(store_, pack_key(finished.name), parts));
  std::vector<IndexedChunk> chunks;
  chunks.reserve(pack.entries().size());
  for (const PackEntry& entry : pack.entries())
    chunks.push_back({entry.digest, {finished.name, entry.offset, entry.stored_length, entry.raw_length, entry.codec}});
  return chunks;
}

Result<Bytes> ChunkStore::read_at(const Digest& digest, const Location& location) {
  return studio::content::read_verified(store_, digest, location);
}

}  // namespace studio::content
