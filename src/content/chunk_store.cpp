#include "content/chunk_store.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/concat.hpp"

namespace studio::content {

namespace {

// A pack that the index names but that is gone is damage, not an absence that a caller may expect.
Result<Bytes> get_from_pack(blob::Store& store, const Digest& pack, blob::Range range) {
  auto bytes = store.get(pack_key(pack), range);
  if (!bytes &&
      (is_damage(bytes.error()) || bytes.error().code == Code::not_found || bytes.error().code == Code::invalid)) {
    bytes.error().code = Code::corrupt;
    bytes.error().hint = "run 'studio store verify' to see which files are affected";
  }
  return bytes;
}

// As many neighbouring stored bytes are fetched in one read.
constexpr std::uint64_t k_read_ahead = 4 << 20;

Result<Bytes> check_chunk(const Digest& digest, const Location& location, ByteView stored) {
  auto raw = decode(location.codec, stored, location.raw_length);
  if (raw && Sha256::of(*raw) == digest) return raw;
  if (!raw && raw.error().code == Code::unsupported) return raw.error();
  return Error{Code::corrupt,
               concat("chunk ", digest.hex(), " in ", pack_key(location.pack), " does not match its digest"),
               "run 'studio store verify' to see which files are affected"};
}

// As much of it as is there.
ByteView piece_of(ByteView bytes, std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t begin = std::min<std::uint64_t>(offset, bytes.size());
  return bytes.subspan(begin, std::min<std::uint64_t>(length, bytes.size() - begin));
}

Result<Bytes> read_verified(blob::Store& store, const Digest& digest, const Location& location) {
  TRY_ASSIGN(const Bytes stored, get_from_pack(store, location.pack, {location.offset, location.stored_length}));
  return check_chunk(digest, location, stored);
}

}  // namespace

Result<void> ChunkSource::read_each(std::span<const Digest> digests, const std::function<Result<void>(Bytes)>& take) {
  for (const Digest& digest : digests) {
    TRY_ASSIGN(Bytes chunk, read(digest));
    TRY(take(std::move(chunk)));
  }
  return {};
}

Result<bool> ChunkStore::contains(const Digest& digest) {
  TRY_ASSIGN(const auto found, index_.find(digest));
  return found && !found->suspect;
}

Result<Location> ChunkStore::locate(const Digest& digest) {
  TRY_ASSIGN(const auto found, index_.find_anew(digest));
  if (found) return *found;
  return Error{Code::corrupt, concat("chunk ", digest.hex(), " is missing from the store"),
               "run 'studio store verify' to see which files are affected"};
}

Result<Bytes> ChunkStore::read(const Digest& digest) {
  TRY_ASSIGN(const Location location, locate(digest));
  const auto chunk = read_verified(store_, digest, location);
  if (chunk || chunk.error().code != Code::corrupt) return chunk;
  for (const Location& other : index_.all_locations(digest)) {
    if (other.pack == location.pack && other.offset == location.offset) continue;
    auto copy = read_verified(store_, digest, other);
    if (copy || copy.error().code != Code::corrupt) return copy;
  }
  return chunk;
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
      const bool adjacent = next.pack == last.pack && next.offset == std::uint64_t{last.offset} + last.stored_length;
      if (!adjacent || length + next.stored_length > k_read_ahead) break;
      length += next.stored_length;
      run.push_back(next);
    }
    const auto stored = get_from_pack(store_, run.front().pack, {run.front().offset, length});
    for (std::size_t i = 0; i < run.size(); ++i) {
      const std::uint64_t begin = run[i].offset - run.front().offset;
      Result<Bytes> chunk = stored
                                ? check_chunk(digests[at + i], run[i], piece_of(*stored, begin, run[i].stored_length))
                                : Result<Bytes>(stored.error());
      // By itself: damage beside it is no reason to give up, and there may be another copy.
      if (!chunk && chunk.error().code == Code::corrupt) chunk = read(digests[at + i]);
      if (!chunk) return chunk.error();
      TRY(take(std::move(*chunk)));
    }
    at += run.size();
  }
  return {};
}

Result<std::vector<IndexedChunk>> ChunkStore::all_chunks() {
  std::vector<IndexedChunk> all;
  TRY(for_each_chunk([&](const IndexedChunk& chunk) -> Result<void> {
    all.push_back(chunk);
    return {};
  }));
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
