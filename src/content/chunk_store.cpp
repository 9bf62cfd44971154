#include "content/chunk_store.hpp"

#include <algorithm>
#include <array>

#include "base/concat.hpp"

namespace studio::content {

namespace {

// A pack that the index names but that is gone is damage, not an absence that a caller may expect.
Result<Bytes> get_from_pack(blob::Store& store, const Digest& pack, blob::Range range) {
  auto bytes = store.get(pack_key(pack), range);
  if (!bytes && (bytes.error().code == Code::not_found || bytes.error().code == Code::invalid)) {
    bytes.error().code = Code::corrupt;
    bytes.error().hint = "run 'studio store verify' to see which files are affected";
  }
  return bytes;
}

// Small enough that the packs in the making fit the memory goal, large enough for a disk or a bucket to stream.
constexpr std::size_t k_pack_target = 32 << 20;
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

}  // namespace

Result<void> ChunkSource::read_each(std::span<const Digest> digests, const std::function<Result<void>(Bytes)>& take) {
  for (const Digest& digest : digests) {
    TRY_ASSIGN(Bytes chunk, read(digest));
    TRY(take(std::move(chunk)));
  }
  return {};
}

Result<void> ChunkStore::load() {
  if (loaded_) return {};
  TRY(load_tables());
  loaded_ = true;
  return {};
}

Result<void> ChunkStore::load_tables() {
  // Another process may merge tables between our listing and our reading: then list again.
  for (int attempt = 0;; ++attempt) {
    std::vector<std::string> keys;
    bool has_packs = false;
    TRY(store_.list(k_index_prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
      keys.push_back(info.key);
      return {};
    }));
    tables_.clear();
    bool vanished = false;
    for (const std::string& key : keys) {
      auto bytes = store_.get(key);
      if (!bytes && bytes.error().code == Code::not_found && attempt < 10) {
        vanished = true;
        break;
      }
      if (!bytes) return bytes.error();
      const auto name = Digest::from_hex(std::string_view(key).substr(k_index_prefix.size()));
      auto table = IndexTable::open(std::move(*bytes));
      if (!table && table.error().code == Code::unsupported) return table.error();
      if (!name || !table) return rebuild();
      tables_.push_back({*name, std::move(*table)});
    }
    if (vanished) continue;
    if (!keys.empty()) return {};
    const auto stop = store_.list(k_pack_prefix, [&](const blob::ObjectInfo&) -> Result<void> {
      has_packs = true;
      return Error{Code::cancelled, ""};
    });
    if (!stop && stop.error().code != Code::cancelled) return stop;
    return has_packs ? rebuild() : Result<void>();
  }
}

Result<void> ChunkStore::rebuild() {
  if (notice_) notice_("the index of the store is missing or damaged; it is rebuilt from the packs");
  std::vector<IndexedChunk> chunks;
  TRY(store_.list(k_pack_prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    const auto name = pack_of_key(info.key);
    if (!name) return {};  // a stranger's file; verify reports it
    TRY_ASSIGN(const Bytes pack, store_.get(info.key));
    const auto entries = parse_pack(*name, pack);
    if (!entries) {
      if (notice_) notice_(entries.error().message);
      return {};
    }
    for (const PackEntry& entry : *entries)
      chunks.push_back({entry.digest, {*name, entry.offset, entry.stored_length, entry.raw_length, entry.codec}});
    return {};
  }));
  const Bytes bytes = build_index(std::move(chunks));
  TRY_ASSIGN(const Digest kept, put_table(bytes));
  std::vector<std::string> stale;
  TRY(store_.list(k_index_prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    if (info.key != index_key(kept)) stale.push_back(info.key);
    return {};
  }));
  for (const std::string& key : stale) TRY(store_.remove(key));
  TRY_ASSIGN(IndexTable table, IndexTable::open(bytes));
  tables_.clear();
  tables_.push_back({kept, std::move(table)});
  loaded_ = true;
  rebuilt_ = true;
  return {};
}

Result<void> ChunkStore::rebuild_index() {
  const std::lock_guard lock(mutex_);
  return rebuild();
}

Result<Digest> ChunkStore::put_table(const Bytes& bytes) {
  const Digest name = Sha256::of(bytes);
  const auto put = blob::put(store_, index_key(name), bytes, blob::Condition::if_absent());
  if (!put && put.error().code != Code::already_exists) return put.error();
  return name;
}

Result<void> ChunkStore::add(std::vector<IndexedChunk> chunks) {
  if (chunks.empty()) return {};
  const Bytes bytes = build_index(std::move(chunks));
  const std::lock_guard lock(mutex_);
  TRY(load());
  TRY_ASSIGN(const Digest name, put_table(bytes));
  TRY_ASSIGN(IndexTable table, IndexTable::open(bytes));
  tables_.push_back({name, std::move(table)});
  return tables_.size() > k_most_tables ? merge_small_tables() : Result<void>();
}

Result<void> ChunkStore::merge_small_tables() {
  // The smallest ones, as long as the next is not much larger than all before it: each chunk is rewritten about log n times.
  std::sort(tables_.begin(), tables_.end(),
            [](const NamedTable& a, const NamedTable& b) { return a.table.size() < b.table.size(); });
  std::vector<IndexedChunk> chunks;
  std::size_t merged = 0;
  for (const NamedTable& named : tables_) {
    if (merged >= k_most_tables / 2 && named.table.size() > 2 * chunks.size()) break;
    TRY_ASSIGN(const auto more, named.table.chunks());
    chunks.insert(chunks.end(), more.begin(), more.end());
    ++merged;
  }
  const Bytes bytes = build_index(std::move(chunks));
  TRY_ASSIGN(const Digest name, put_table(bytes));
  TRY_ASSIGN(IndexTable table, IndexTable::open(bytes));
  for (std::size_t i = 0; i < merged; ++i)
    if (tables_[i].name != name) TRY(store_.remove(index_key(tables_[i].name)));
  tables_.erase(tables_.begin(), tables_.begin() + static_cast<std::ptrdiff_t>(merged));
  tables_.push_back({name, std::move(table)});
  return {};
}

Result<std::optional<Location>> ChunkStore::find(const Digest& digest) {
  TRY(load());
  for (const NamedTable& named : tables_) {
    auto found = named.table.find(digest);
    if (!found && found.error().code == Code::corrupt) {
      TRY(rebuild());
      return tables_.front().table.find(digest);
    }
    if (!found || found->has_value()) return found;
  }
  return std::optional<Location>();
}

Result<bool> ChunkStore::contains(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const auto found, find(digest));
  return found.has_value();
}

Result<void> ChunkStore::reload() {
  const std::lock_guard lock(mutex_);
  return load_tables();
}

Result<Location> ChunkStore::locate(const Digest& digest) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    {
      const std::lock_guard lock(mutex_);
      TRY_ASSIGN(const auto found, find(digest));
      if (found) return *found;
    }
    // Another process may have stored it since we loaded the index.
    if (attempt == 0) TRY(reload());
  }
  return Error{Code::corrupt, concat("chunk ", digest.hex(), " is missing from the store"),
               "run 'studio store verify' to see which files are affected"};
}

Result<Bytes> ChunkStore::fetch(const Digest& digest, const Location& location) {
  TRY_ASSIGN(const Bytes stored, get_from_pack(store_, location.pack, {location.offset, location.stored_length}));
  return check_chunk(digest, location, stored);
}

Result<Bytes> ChunkStore::read(const Digest& digest) {
  TRY_ASSIGN(const Location location, locate(digest));
  return fetch(digest, location);
}

Result<void> ChunkStore::read_each(std::span<const Digest> digests, const std::function<Result<void>(Bytes)>& take) {
  std::size_t at = 0;
  while (at < digests.size()) {
    std::vector<Location> run;
    TRY_ASSIGN(Location next, locate(digests[at]));
    run.push_back(next);
    std::uint64_t length = next.stored_length;
    while (at + run.size() < digests.size()) {
      TRY_ASSIGN(next, locate(digests[at + run.size()]));
      const Location& last = run.back();
      const bool adjacent = next.pack == last.pack && next.offset == last.offset + last.stored_length;
      if (!adjacent || length + next.stored_length > k_read_ahead) break;
      length += next.stored_length;
      run.push_back(next);
    }
    TRY_ASSIGN(const Bytes stored, get_from_pack(store_, run.front().pack, {run.front().offset, length}));
    for (std::size_t i = 0; i < run.size(); ++i) {
      const std::uint64_t begin = run[i].offset - run.front().offset;
      if (begin + run[i].stored_length > stored.size())
        return Error{Code::corrupt, concat(pack_key(run[i].pack), " is cut short")};
      TRY_ASSIGN(Bytes chunk, check_chunk(digests[at + i], run[i], ByteView(stored).subspan(begin, run[i].stored_length)));
      TRY(take(std::move(chunk)));
    }
    at += run.size();
  }
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
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.digest < b.digest; });
  all.erase(std::unique(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.digest == b.digest; }),
            all.end());
  return all;
}

Result<Digest> ChunkWriter::put(ChunkKind kind, ByteView raw) {
  const Digest digest = Sha256::of(raw);
  TRY_ASSIGN(const bool known, knows(digest));
  if (known) return digest;
  PackBuilder& pack = kind == ChunkKind::data ? data_ : metadata_;
  const std::size_t before = pack.size();
  pack.add(digest, kind, raw);
  put_.insert(digest);
  stored_bytes_ += pack.size() - before;
  if (kind == ChunkKind::data) new_bytes_ += raw.size();
  if (pack.size() >= k_pack_target) TRY(write_pack(pack));
  return digest;
}

Result<bool> ChunkWriter::knows(const Digest& digest) {
  if (put_.contains(digest)) return true;
  return store_.contains(digest);
}

Result<void> ChunkWriter::write_pack(PackBuilder& pack) {
  if (pack.empty()) return {};
  const PackBuilder::Finished finished = pack.finish();
  const std::array<ByteView, 2> parts{pack.body(), finished.footer};
  const auto put = store_.objects().put(pack_key(finished.name), parts, blob::Condition::if_absent());
  // The same chunks in the same order, put by another writer: as good as ours.
  if (!put && put.error().code != Code::already_exists) return put.error();
  for (const PackEntry& entry : pack.entries())
    written_.push_back(
        {entry.digest, {finished.name, entry.offset, entry.stored_length, entry.raw_length, entry.codec}});
  pack.clear();
  return {};
}

Result<void> ChunkWriter::flush() {
  // A small capture is one pack: each object costs an fsync here and a request in a bucket.
  if (data_.size() + metadata_.size() <= k_pack_target) {
    data_.append(metadata_);
    metadata_.clear();
  }
  TRY(write_pack(data_));
  TRY(write_pack(metadata_));
  TRY(store_.add(std::move(written_)));
  written_.clear();
  return {};
}

Result<Bytes> ChunkWriter::read(const Digest& digest) {
  if (put_.contains(digest)) {
    for (const PackBuilder* pack : {&data_, &metadata_})
      for (const PackEntry& entry : pack->entries())
        if (entry.digest == digest) return decode(entry.codec, pack->stored(entry), entry.raw_length);
    for (const IndexedChunk& chunk : written_)
      if (chunk.digest == digest) {
        TRY_ASSIGN(const Bytes stored, get_from_pack(store_.objects(), chunk.location.pack,
                                                             {chunk.location.offset, chunk.location.stored_length}));
        return check_chunk(digest, chunk.location, stored);
      }
  }
  return store_.read(digest);
}

}  // namespace studio::content
